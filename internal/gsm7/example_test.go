package gsm7_test

import (
	"fmt"
	"strings"

	"github.com/verifyd/verifyd/internal/gsm7"
)

func ExampleMeasure() {
	fmt.Println(gsm7.Measure("Your Acme verification code is: 123456"))
	fmt.Println(gsm7.Measure("Ihr Bestätigungscode für Acme lautet: 123456"))
	fmt.Println(gsm7.Measure("Tu código de verificación de Acme es: 123456"))
	// Output:
	// {gsm7 38 1}
	// {gsm7 44 1}
	// {ucs2 44 1}
}

func ExampleSplit() {
	for _, part := range gsm7.Split(strings.Repeat("0123456789", 20)) {
		fmt.Println(len(part))
	}
	// Output:
	// 153
	// 47
}

func ExampleTransliterate() {
	fmt.Println(gsm7.Transliterate("Don’t share “it” – ever…"))
	// Output: Don't share "it" - ever...
}

func ExampleEncode() {
	septets, ok := gsm7.Encode("5€")
	fmt.Printf("% X %v\n", septets, ok)
	// Output: 35 1B 65 true
}
