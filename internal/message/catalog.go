package message

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"
)

// One file a language, named by its tag. The keys are the tags of the fields of file; the language
// is named for the reader alone. A language has the sms and whatsapp keys if smsLocales lists it and
// the call keys if callLocales does.
//
//go:embed catalog/*.json
var catalogFiles embed.FS

type file struct {
	Language   string `json:"language"`
	SMS        string `json:"sms"`
	Payment    string `json:"sms_payment"`
	DoNotShare string `json:"sms_do_not_share"` // follows either of them, so it begins by ending a sentence
	WhatsApp   string `json:"whatsapp"`
	Call       string `json:"call"`
	Again      string `json:"call_again"`
	PressKey   string `json:"call_press_key"`
}

// texts are the sentences of one language, taken apart.
type texts struct {
	sms, payment, doNotShare template
	whatsapp                 template
	call, again, pressKey    template
}

// catalog has an entry for every tag of the SMS, RCS and call lists. A file is read when the first
// message in its language is written: a server in one country never reads forty.
var catalog = sync.OnceValue(func() map[string]func() *texts {
	m := make(map[string]func() *texts, len(smsLocales)+1)
	for _, tags := range [...][]string{smsLocales, callLocales} {
		for _, tag := range tags {
			m[tag] = sync.OnceValue(func() *texts { return mustRead(tag) })
		}
	}
	return m
})

// words are the sentences of a language that has a file.
func words(tag string) *texts { return catalog()[tag]() }

// mustRead panics if the file is missing or does not parse. The files are part of the program and
// a test reads them all.
func mustRead(tag string) *texts {
	t, err := read(tag)
	if err != nil {
		panic(err)
	}
	return t
}

func read(tag string) (*texts, error) {
	data, err := catalogFiles.ReadFile("catalog/" + tag + ".json")
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("message: catalog/%s.json: %w", tag, err)
	}
	var t texts
	for _, p := range []struct {
		to   *template
		text string
	}{
		{&t.sms, f.SMS}, {&t.payment, f.Payment}, {&t.doNotShare, f.DoNotShare}, {&t.whatsapp, f.WhatsApp},
		{&t.call, f.Call}, {&t.again, f.Again}, {&t.pressKey, f.PressKey},
	} {
		if *p.to, err = parse(p.text); err != nil {
			return nil, fmt.Errorf("message: catalog/%s.json: %w", tag, err)
		}
	}
	return &t, nil
}
