package provider

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestExcerptBlanksWhatVendorsRepeat(t *testing.T) {
	sms := Message{To: "+34612345678", Code: "482913"}
	mail := Message{To: "Bob.Smith@Example.com", Code: "482913"}
	for _, c := range []struct {
		name, words string
		m           Message
		secrets     []string
		want        string
	}{
		{"plain words stay", "slow down", sms, nil, "slow down"},
		{"the number", "no route to +34612345678", sms, nil, "no route to [to]"},
		{"the number without its plus", "msisdn=34612345678 barred", sms, nil, "msisdn=[to] barred"},
		{"the number with another prefix", "0034612345678", sms, nil, "[to]"},
		{"the national number", "subscriber 612345678 absent", sms, nil, "subscriber [to] absent"},
		{"the number, spaced", "call +34 612 345-678 failed", sms, nil, "call [to] failed"},
		{"the number beside a code", "58 34612345678", sms, nil, "58 [to]"},
		{"other numbers stay", "id 20260102030405", sms, nil, "id 20260102030405"},
		{"the number in a URL", "to=%2B34612345678&x", sms, nil, "to=%2B[to]&x"},
		{"the code", "text 482913 is your code refused", sms, nil, "text [code] is your code refused"},
		{"the address, in any case", "<bob.smith@EXAMPLE.com>: unknown", mail, nil, "<[to]>: unknown"},
		{"a secret", "bad password hunter2!", mail, []string{"hunter2"}, "bad password [secret]!"},
		{"the longer secret first", "key abcd-efgh", mail, []string{"abcd", "abcd-efgh"}, "key [secret]"},
		{"a secret in bytes", "key a\xffb\x00 c", mail, []string{"a\xffb\x00"}, "key [secret] c"},
		{"a secret with a blank in it", "key one  two", mail, []string{"one\ttwo"}, "key [secret]"},
		{"a short secret is no secret", "error 1", mail, []string{"1"}, "error 1"},
		{"lines become one", "550-5.1.1 no\r\n550 5.1.1\tsuch\x00user", mail, nil, "550-5.1.1 no 550 5.1.1 such user"},
		{"not UTF-8", "caf\xe9", mail, nil, "caf�"},
		{"a message without address or code", "as it is", Message{}, []string{""}, "as it is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Excerpt(c.words, c.m, c.secrets...); got != c.want {
				t.Errorf("Excerpt(%q)\n got %q\nwant %q", c.words, got, c.want)
			}
		})
	}
}

func TestExcerptIsShortAndWhole(t *testing.T) {
	got := Excerpt(strings.Repeat("ñ", 500), Message{})
	if len(got) > maxExcerpt || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("got %d bytes, valid %v: %q", len(got), utf8.ValidString(got), got)
	}
}

func FuzzExcerptNeverRepeats(f *testing.F) {
	for _, s := range []string{"", "+34612345678", "34 612 345 678", "482913", "x\r\ny", "s3cr3t-Token", "\xff\xfe"} {
		f.Add(s)
	}
	m := Message{To: "+34612345678", Code: "482913"}
	f.Fuzz(func(t *testing.T, words string) {
		got := Excerpt(words, m, "s3cr3t-token")
		for _, never := range []string{"34612345678", "482913", "s3cr3t-token"} {
			if strings.Contains(strings.ToLower(got), never) {
				t.Errorf("Excerpt(%q) = %q repeats %q", words, got, never)
			}
		}
		if len(got) > maxExcerpt || strings.ContainsAny(got, "\r\n") || !utf8.ValidString(got) {
			t.Errorf("Excerpt(%q) = %q: not one short line", words, got)
		}
	})
}

func ExampleExcerpt() {
	m := Message{To: "bob@example.com", Code: "482913"}
	fmt.Println(Excerpt("5.1.1 <bob@example.com>:\r\nRecipient address rejected", m))
	// Output: 5.1.1 <[to]>: Recipient address rejected
}
