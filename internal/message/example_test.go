package message_test

import (
	"fmt"
	"time"

	"github.com/verifyd/verifyd/internal/message"
)

func ExampleSMS() {
	text := message.SMS(message.OTP{
		Brand:  "Acme",
		Code:   "123456",
		Locale: message.Resolve("sms", "", "+4915112345678"),
	})
	fmt.Println(text.Text)
	fmt.Println(text.Locale, text.Encoding, text.Segments)
	// Output:
	// Ihr Bestätigungscode für Acme lautet: 123456
	// de gsm7 1
}

func ExampleSMS_appHash() {
	text := message.SMS(message.OTP{Brand: "AppName", Code: "1234", AppHash: "He42w354ol9"})
	fmt.Println(text.Text)
	// Output: <#> Your AppName verification code is: 1234 He42w354ol9
}

func ExampleCall() {
	speech := message.Call(message.OTP{Brand: "Acme", Code: "123456"})
	fmt.Println(speech.PressKeyPrompt)
	fmt.Println(speech.Text)
	// Output:
	// This is a call from Acme. To hear your verification code, press any key.
	// Your Acme verification code is: 1, 2, 3, 4, 5, 6. Once again, your code is: 1, 2, 3, 4, 5, 6.
}

func ExampleEmail() {
	mail := message.Email(message.OTP{Brand: "Acme", Code: "123456", ExpiresIn: 10 * time.Minute})
	fmt.Println("Subject:", mail.Subject)
	fmt.Println()
	fmt.Print(mail.Text)
	// Output:
	// Subject: Your Acme verification code
	//
	// Your Acme verification code is: 123456
	//
	// The code expires in 10 minutes.
	//
	// If you did not request this code, you can ignore this e-mail.
}

func ExampleWhatsApp() {
	t := message.WhatsApp(message.OTP{Code: "123456", Locale: "pt-BR"})
	fmt.Println(t.Name, t.Language, t.Vars["1"])
	fmt.Println(t.Text)
	// Output:
	// verification_code pt_BR 123456
	// Seu código de verificação é *123456*.
}

func ExampleResolve() {
	fmt.Println(message.Resolve("sms", "", "+447911123456"))
	fmt.Println(message.Resolve("call", "", "+447911123456"))
	fmt.Println(message.Resolve("whatsapp", "pt_br", "+447911123456"))
	// Output:
	// en
	// en-GB
	// pt-BR
}

func ExampleCanonical() {
	fmt.Println(message.Canonical("zh_hk"))
	// Output: zh-HK
}
