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

// Run makes pairs until ctx ends.
func (p *Pool) Run(ctx context.Context) error {
	for {
		pair, err := p.generate()
		if err != nil {
			return err
		}
		select {
		case p.ready <- pair:
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
