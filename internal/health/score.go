package health

import (
	"math"
	"time"
)

// The numbers of a Score.
const (
	halfLife = 2 * time.Hour
	// prior is how many outcomes of the mean a score begins with.
	prior = 8
	// Enough outcomes make a score that counts.
	enough = 50
	// lead is by how much a score must be better.
	lead = 0.15
)

// Score is how often what was sent was answered, with half of its weight gone every two hours. The
// zero value has seen nothing.
type Score struct {
	sent, answered float64
	at             time.Time
}

func (s *Score) fade(now time.Time) {
	if age := now.Sub(s.at); age > 0 {
		left := math.Exp2(-float64(age) / float64(halfLife))
		s.sent *= left
		s.answered *= left
		s.at = now
	}
}

// Add counts one that was sent, and whether it was answered.
func (s *Score) Add(now time.Time, answered bool) {
	s.fade(now)
	s.sent++
	if answered {
		s.answered++
	}
}

// Rate is the share that was answered, and of how many, as they weigh now.
func (s Score) Rate(now time.Time) (rate, of float64) {
	s.fade(now)
	if s.sent == 0 {
		return 0, 0
	}
	return s.answered / s.sent, s.sent
}

// Best is which of several scores is so much better than the first that what goes the first way
// should go that way: 0 if none is.
func Best(now time.Time, scores ...Score) int {
	var all Score
	for i := range scores {
		scores[i].fade(now)
		all.sent += scores[i].sent
		all.answered += scores[i].answered
	}
	if len(scores) < 2 || scores[0].sent < enough {
		return 0
	}
	mean := all.answered / all.sent
	value := func(s Score) float64 { return (s.answered + prior*mean) / (s.sent + prior) }
	best := 0
	for i, s := range scores {
		if s.sent >= enough && value(s) >= value(scores[0])+lead && value(s) > value(scores[best]) {
			best = i
		}
	}
	return best
}
