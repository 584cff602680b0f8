package devserver

import (
	"slices"
	"testing"
)

func TestServicesOfAnEnvironment(t *testing.T) {
	const one, two = "VA0123456789abcdef0123456789abcdef", "VA1123456789abcdef0123456789abcdef"
	got := ServicesIn([]string{"B=" + two, "A=" + one, "C=" + two, "D=VAx", "E=x" + one})
	if !slices.Equal(got, []string{two, one}) {
		t.Errorf("got %v", got)
	}
}
