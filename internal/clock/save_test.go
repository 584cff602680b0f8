package clock

import (
	"crypto/rand"
	"io"
	"testing"
	"time"
)

func TestAClockGoesBackToWhatItWas(t *testing.T) {
	base := noon
	c := Stopped(noon, func() time.Time { return base })
	var told []State
	c.OnMove(func(s State) { told = append(told, s) })
	c.Tick()
	c.Tick()
	saved := c.Save()
	if got := saved.Time(); !got.Equal(noon.Add(2 * time.Microsecond)) {
		t.Errorf("it showed %v", got)
	}
	c.moveTo(noon.Add(time.Hour))
	c.Resume()
	base = base.Add(time.Minute)
	running := c.Save()
	c.Restore(saved)
	base = base.Add(time.Minute) // it stands still
	if got := c.Now(); !got.Equal(saved.Time()) || !c.State().Frozen {
		t.Errorf("it shows %v, want %v", got, saved.Time())
	}
	c.Tick()
	if got := c.Now(); !got.Equal(noon.Add(3 * time.Microsecond)) {
		t.Errorf("after a tick it shows %v", got)
	}
	c.Restore(running)
	base = base.Add(time.Second)
	if got, want := c.Now(), noon.Add(time.Hour+time.Minute+time.Second); !got.Equal(want) || c.State().Frozen {
		t.Errorf("it runs at %v, want %v", got, want)
	}
	if len(told) != 4 || told[2].Now.After(told[1].Now) {
		t.Errorf("moves: %v", told)
	}
}

func TestASeededSourceGoesOnFromWhereItWas(t *testing.T) {
	read := func(r io.Reader, n int) string {
		b := make([]byte, n)
		if _, err := io.ReadFull(r, b); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	c := Stopped(noon, time.Now)
	seeded := c.Random(Seeded(4))
	read(seeded, 13)
	state, err := seeded.Save()
	if err != nil {
		t.Fatal(err)
	}
	first := read(seeded, 100)
	if err := seeded.Restore(state); err != nil {
		t.Fatal(err)
	}
	if got := read(seeded, 100); got != first {
		t.Error("it does not repeat")
	}
	other := c.Random(rand.Reader)
	if state, err := other.Save(); state != nil || err != nil || other.Restore(nil) != nil {
		t.Errorf("a source without a seed: %x, %v", state, err)
	}
}
