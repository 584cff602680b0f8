// Package carrier has verifyd serve send to fakecarrier, each the real program in a process of its own: one
// message by every provider, what each knob makes of one, and the commands of docs/fakecarrier.md. It needs
// the tag full.
package carrier
