package smpp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/verifyd/verifyd/internal/smpp"
	"github.com/verifyd/verifyd/provider"
)

// bindWords say what a refused bind means, for whoever set the account up.
var bindWords = map[smpp.Status]string{
	smpp.InvalidPassword:   "the password is wrong",
	smpp.InvalidSystemID:   "the system_id is not known there",
	smpp.InvalidSystemType: "the system_type is not the one that the carrier gave you",
	smpp.BindFailed:        "the carrier lets this account bind from nowhere, or not from this address, or not in this mode",
	smpp.InvalidCommandID:  "the carrier does not know this kind of bind; is it mode = \"split\" that it wants?",
	smpp.SystemError:       "the carrier has a fault of its own",
	smpp.Throttled:         "the carrier finds that we bind too often",
}

// Check implements provider.Checker: it binds once in each role of the mode, and unbinds. A carrier that
// allows no more connections than a server of ours holds already says that we are bound: that is
// provider.ErrUnproven.
func (p *Provider) Check(ctx context.Context) error {
	checked := map[smpp.Command]bool{}
	for _, l := range p.links {
		if checked[l.role] {
			continue
		}
		checked[l.role] = true
		if err := l.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (l *link) check(ctx context.Context) error {
	s, refused := l.bind(ctx)
	if refused == nil {
		return s.leave(ctx)
	}
	if refused.Code == smpp.AlreadyBound.Code() {
		return provider.Unproven(fmt.Sprintf("reached, and the carrier says that we are bound already (%v): does a server run with this account?", smpp.AlreadyBound))
	}
	words := provider.Excerpt(refused.Detail, provider.Message{}, l.p.secrets...)
	for status, meaning := range bindWords {
		if refused.Code == status.Code() {
			words = fmt.Sprintf("%v: %s (%v)", l.role, meaning, status)
		}
	}
	return errors.New(words)
}

// leave unbinds a session that was not served, and closes it. That the carrier does not answer to that
// is no fault of the account.
func (s *session) leave(ctx context.Context) error {
	defer s.conn.Close()
	stop := context.AfterFunc(ctx, func() { s.conn.Close() })
	defer stop()
	unbind, err := smpp.PDU{Command: smpp.Unbind, Sequence: s.sequence + 1}.Append(nil)
	if err != nil {
		return err
	}
	if err := s.conn.SetDeadline(time.Now().Add(unbindTimeout)); err != nil {
		return err
	}
	if _, err := s.conn.Write(unbind); err != nil {
		return fmt.Errorf("bound, and the connection broke at once: %w", err)
	}
	for {
		p, err := s.in.Read()
		if _, malformed := errors.AsType[*smpp.Malformed](err); err != nil && !malformed {
			return ctx.Err()
		}
		switch p.Command {
		case smpp.UnbindResp, smpp.GenericNack:
			return nil
		case smpp.DeliverSM, smpp.DataSM:
			// A receipt that waited: it is kept for the server, which binds after us.
			refusal, err := p.Response(smpp.TemporaryAppError, &smpp.MessageResp{}).Append(nil)
			if err == nil {
				_, err = s.conn.Write(refusal)
			}
			if err != nil {
				return ctx.Err()
			}
		}
	}
}
