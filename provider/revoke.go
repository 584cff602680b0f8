package provider

import "context"

// Revoker is a Provider that can take back a message which has not reached the person yet, so that its
// code can go on by another channel without there being two messages.
//
// Revoke returns nil when the other side has confirmed that the message will not arrive, and only then.
// Its *Error is of class BadRequest or BadRecipient if the message surely cannot be taken back: it has
// arrived, or nobody there knows it. Of any other class it says that nobody knows, and asking once more
// may help; asking twice must do no harm.
type Revoker interface {
	Revoke(ctx context.Context, s Sent) error
}

// Sent names a message that a provider was given, and has or perhaps has.
type Sent struct {
	// ID is that of Accepted, "" if the hand-over had an unknown outcome and named none.
	ID string
	// Key, Channel and To are those of the Message.
	Key, Channel, To string
}
