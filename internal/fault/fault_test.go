package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/verifyd/verifyd/internal/fault"
)

// recovered is the error of the panic of a function.
func recovered(doWork func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Panicked(p)
		}
	}()
	doWork()
	return nil
}

// code is a type whose value tells all.
type code struct{ Code string }

func TestAPanicRepeatsNothing(t *testing.T) {
	const secret, number = "4938", 34612345678
	var short []int
	var anything any = secret
	for name, c := range map[string]struct {
		doWork func()
		want   string
	}{
		"a text":     {func() { panic("no template for WXYZ of +34612345678") }, "panic with a string\n"},
		"an error":   {func() { panic(fmt.Errorf("to pat@example.com: %w", errors.New("WXYZ"))) }, "panic with a *fmt.wrapError\n"},
		"a struct":   {func() { panic(code{"WXYZ"}) }, "panic with a fault_test.code\n"},
		"a number":   {func() { panic(number) }, "panic with a int\n"},
		"an index":   {func() { _ = short[len(secret)] }, "panic with a runtime.boundsError: runtime error: index out of range [4] with length 0\n"},
		"a code":     {func() { index := 4938; _ = short[index] }, "panic with a runtime.boundsError: runtime error: index out of range […] with length 0\n"},
		"nothing":    {func() { panic(nil) }, "panic with a *runtime.PanicNilError: runtime error: panic called with nil argument"},
		"a pointer":  {func() { var c *code; _ = c.Code }, "panic with a runtime.errorString: runtime error: invalid memory address"},
		"other type": {func() { _ = anything.(int) }, "panic with a *runtime.TypeAssertionError: interface conversion: interface {} is string, not int\n"},
	} {
		said := recovered(c.doWork).Error()
		if !strings.HasPrefix(said, c.want) {
			t.Errorf("%s: %.200s, want %s", name, said, c.want)
		}
		for _, secret := range []string{secret, "34612345678", "WXYZ", "pat@example.com"} {
			if strings.Contains(said[:strings.Index(said, "\n")], secret) {
				t.Errorf("%s repeats %s: %.200s", name, secret, said)
			}
		}
		if !strings.Contains(said, "TestAPanicRepeatsNothing.func") || !strings.Contains(said, "fault_test.go:") {
			t.Errorf("%s does not say where:\n%s", name, said)
		}
	}
}

func ExamplePanicked() {
	work := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fault.Panicked(p)
			}
		}()
		panic("the code is 493817")
	}
	fmt.Println(strings.SplitN(work().Error(), "\n", 2)[0])
	// Output: panic with a string
}
