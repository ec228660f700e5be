package token

import "context"

// A Pool generates key pairs ahead of need, so that a new namespace does not wait for
// one.
type Pool struct {
	ready    chan KeyPair
	generate func() (KeyPair, error)
}

// NewPool returns a pool that holds up to size pairs. It is empty until Run is called.
func NewPool(size int, generate func() (KeyPair, error)) *Pool {
	return &Pool{ready: make(chan KeyPair, size), generate: generate}
}

// Run generates pairs until ctx ends, and then returns nil. It returns the first error
// of generate. Run does not wait for a generation in progress, which takes seconds and
// cannot be canceled.
func (p *Pool) Run(ctx context.Context) error {
	generated := make(chan KeyPair)
	failed := make(chan error, 1)
	go func() {
		for {
			pair, err := p.generate()
			if err != nil {
				failed <- err
				return
			}
			select {
			case generated <- pair:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case pair := <-generated:
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

// Take removes a pair from the pool and returns it. It waits while the pool is empty,
// and returns the error of ctx if that ends first.
func (p *Pool) Take(ctx context.Context) (KeyPair, error) {
	select {
	case pair := <-p.ready:
		return pair, nil
	case <-ctx.Done():
		return KeyPair{}, ctx.Err()
	}
}
