package health

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func scored(now time.Time, answered, of int) (s Score) {
	for i := range of {
		s.Add(now, i < answered)
	}
	return s
}

func TestABetterWayTakesOverWhenItIsSure(t *testing.T) {
	for _, c := range []struct {
		name   string
		scores []Score
		want   int
	}{
		{"nothing known", []Score{{}, {}}, 0},
		{"one way", []Score{scored(noon, 1, 100)}, 0},
		{"much better", []Score{scored(noon, 10, 100), scored(noon, 80, 100)}, 1},
		{"worse", []Score{scored(noon, 80, 100), scored(noon, 10, 100)}, 0},
		{"a little better", []Score{scored(noon, 70, 100), scored(noon, 80, 100)}, 0},
		{"too few of the first", []Score{scored(noon, 1, 49), scored(noon, 80, 100)}, 0},
		{"too few of the second", []Score{scored(noon, 1, 100), scored(noon, 49, 49)}, 0},
		{"the best of several", []Score{scored(noon, 10, 100), scored(noon, 50, 100), scored(noon, 90, 100)}, 2},
		{"all alike low: that is no way's fault", []Score{scored(noon, 5, 100), scored(noon, 5, 100)}, 0},
	} {
		if got := Best(noon, c.scores...); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAScoreFades(t *testing.T) {
	s := scored(noon, 30, 100)
	for hours, want := range map[int]float64{0: 100, 2: 50, 4: 25} {
		rate, of := s.Rate(noon.Add(time.Duration(hours) * time.Hour))
		if math.Abs(of-want) > 1e-6 || math.Abs(rate-0.3) > 1e-9 {
			t.Errorf("after %d hours: %.3f of %.3f, want 0.3 of %v", hours, rate, of, want)
		}
	}
	if Best(noon.Add(24*time.Hour), scored(noon, 10, 100), scored(noon, 90, 100)) != 0 {
		t.Error("yesterday's numbers move today's traffic")
	}
}

// Whatever was counted, the way that takes over is better than the first by the lead or nearly so, and
// which of two is first never makes both win.
func TestTheBestIsBetter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var scores []Score
		for range 2 + random.IntN(3) {
			of := random.IntN(300)
			s := scored(noon, random.IntN(of+1), of)
			scores = append(scores, s)
		}
		best := Best(noon, scores...)
		first, n := scores[0].Rate(noon)
		rate, m := scores[best].Rate(noon)
		if best != 0 && (rate < first+lead-0.01 || n < enough || m < enough) {
			t.Fatalf("%.3f of %.0f takes over from %.3f of %.0f", rate, m, first, n)
		}
		scores[0], scores[best] = scores[best], scores[0]
		if best != 0 && Best(noon, scores...) == best {
			t.Fatalf("both win: %v", scores)
		}
	}
}
