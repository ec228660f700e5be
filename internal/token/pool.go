package token

import "context"

// A Pool makes key pairs ahead of need, so that a new namespace does not wait
// for one.
type Pool struct {
	ready    chan KeyPair
	generate func() (KeyPair, error)
}

// NewPool returns a pool that keeps up to size pairs, once Run is running.
func NewPool(size int, generate func() (KeyPair, error)) *Pool {
	return &Pool{ready: make(chan KeyPair, size), generate: generate}
}

// Run makes pairs until ctx ends. A pair that is being made then is left to
// itself: making it takes seconds and cannot be cut short.
func (p *Pool) Run(ctx context.Context) error {
	made := make(chan KeyPair)
	failed := make(chan error, 1)
	go func() {
		for {
			pair, err := p.generate()
			if err != nil {
				failed <- err
				return
			}
			select {
			case made <- pair:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case pair := <-made:
			select {
			case p.ready <- pair:
			case <-ctx.Done():
				return nil
			}
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// Take returns a pair that nobody else gets, and waits while there is none.
func (p *Pool) Take(ctx context.Context) (KeyPair, error) {
	select {
	case pair := <-p.ready:
		return pair, nil
	case <-ctx.Done():
		return KeyPair{}, ctx.Err()
	}
}
