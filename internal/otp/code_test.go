package otp_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"testing/iotest"

	"github.com/verifyd/verifyd/internal/otp"
)

func TestCodesHaveTheLengthAskedFor(t *testing.T) {
	for length := otp.MinLength; length <= otp.MaxLength; length++ {
		for range 200 {
			code, err := otp.Generate(length, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if len(code) != length {
				t.Fatalf("Generate(%d) = %q", length, code)
			}
			if !otp.ValidCustom(code) {
				t.Fatalf("Generate(%d) = %q is not made of digits", length, code)
			}
		}
	}
}

func TestOtherLengthsAreRefused(t *testing.T) {
	for _, length := range []int{-1, 0, 3, 11} {
		if code, err := otp.Generate(length, rand.Reader); err == nil {
			t.Errorf("Generate(%d) = %q", length, code)
		}
	}
}

// Leading zeros are a tenth of all codes; a generator that draws from 100000 up loses them. The
// bound is 99.9 % of the chi-squared distribution with nine degrees of freedom, and the draws are
// many enough that a generator without zeros fails it by far.
func TestEveryDigitIsEquallyLikelyInEveryPlace(t *testing.T) {
	const draws, length, bound = 20000, 6, 40
	var count [length][10]int
	for range draws {
		code, err := otp.Generate(length, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for place, digit := range []byte(code) {
			count[place][digit-'0']++
		}
	}
	for place := range count {
		expected := float64(draws) / 10
		chi := 0.0
		for _, n := range count[place] {
			chi += (float64(n) - expected) * (float64(n) - expected) / expected
		}
		if chi > bound {
			t.Errorf("place %d: chi-squared is %.1f, counts %v", place, chi, count[place])
		}
	}
}

func TestDrawsThatWouldFavourLowCodesAreDrawnAgain(t *testing.T) {
	high := bytes.Repeat([]byte{0xff}, 8)
	low := []byte{0, 0, 0, 0, 0, 0, 0, 42}
	code, err := otp.Generate(4, bytes.NewReader(append(high, low...)))
	if err != nil || code != "0042" {
		t.Errorf("got %q, %v, want the second draw, 0042", code, err)
	}
}

func TestNoRandomnessNoCode(t *testing.T) {
	if code, err := otp.Generate(6, iotest.ErrReader(errors.New("dry"))); err == nil {
		t.Errorf("drew %q from a source that fails", code)
	}
}

func FuzzValidCustom(f *testing.F) {
	f.Add("1234")
	f.Add("a b c d")
	f.Fuzz(func(t *testing.T, s string) {
		if otp.ValidCustom(s) && (len(s) < 4 || len(s) > 10 || bytes.ContainsAny([]byte(s), " \r\n,;<>\"'")) {
			t.Errorf("ValidCustom(%q)", s)
		}
	})
}

func ExampleValidCustom() {
	fmt.Println(otp.ValidCustom("1234"), otp.ValidCustom("ABC123"), otp.ValidCustom("123"), otp.ValidCustom("12 34"))
	// Output: true true false false
}
