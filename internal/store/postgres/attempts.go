package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"sync"

	"github.com/jackc/pgx/v5"
)

// maxRead bounds the rows that one exchange reads, the latest changes first.
const maxRead = 4096

// Attempts implements iam.SharedAttempts with the database. It is safe for concurrent use.
type Attempts struct {
	store *Store
	// node is unique to this value.
	node string

	mu sync.Mutex
	// seen are the totals of other nodes that were returned already.
	seen map[attemptRow]int64
}

type attemptRow struct{ network, node string }

// Attempts returns the failed authentications that the processes of the database share.
func (s *Store) Attempts() *Attempts {
	return &Attempts{store: s, node: rand.Text(), seen: map[attemptRow]int64{}}
}

// Exchange implements iam.SharedAttempts.
func (a *Attempts) Exchange(ctx context.Context, counts map[netip.Prefix]int) (others map[netip.Prefix]int, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(counts) > 0 {
		if err := a.add(ctx, counts); err != nil {
			return nil, fmt.Errorf("store failed authentications: %w", a.store.explain(err))
		}
	}
	others, err = a.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("read failed authentications: %w", a.store.explain(err))
	}
	return others, nil
}

// add adds counts to the rows of this node, and deletes old rows of all nodes.
func (a *Attempts) add(ctx context.Context, counts map[netip.Prefix]int) error {
	networks, added := make([]string, 0, len(counts)), make([]int64, 0, len(counts))
	for network, count := range counts {
		networks, added = append(networks, network.String()), append(added, int64(count))
	}
	// The counts are not repeated after an error, because they might be added twice.
	return pgx.BeginFunc(ctx, a.store.pool, func(sqlTx pgx.Tx) error {
		for _, statement := range []struct {
			text      string
			arguments []any
		}{
			// A crash of PostgreSQL may lose them.
			{"SET LOCAL synchronous_commit = off", nil},
			{`INSERT INTO attempts AS a (network, node, total, at) SELECT n, $2, c, clock_timestamp() FROM unnest($1::text[], $3::bigint[]) AS u (n, c)
				ON CONFLICT (network, node) DO UPDATE SET total = a.total + excluded.total, at = excluded.at`, []any{networks, a.node, added}},
			{`DELETE FROM attempts WHERE (network, node) IN (SELECT network, node FROM attempts WHERE at < clock_timestamp() - interval '2 minutes' LIMIT 10000 FOR UPDATE SKIP LOCKED)`, nil},
		} {
			if _, err := sqlTx.Exec(ctx, statement.text, statement.arguments...); err != nil {
				return err
			}
		}
		return nil
	})
}

// read returns what other nodes have added since the last call.
func (a *Attempts) read(ctx context.Context) (map[netip.Prefix]int, error) {
	rows, err := a.store.pool.Query(ctx, "SELECT network, node, total FROM attempts WHERE node <> $1 AND at > clock_timestamp() - interval '2 minutes' ORDER BY at DESC LIMIT $2", a.node, maxRead)
	if err != nil {
		return nil, err
	}
	others, seen := map[netip.Prefix]int{}, map[attemptRow]int64{}
	var row attemptRow
	var total int64
	_, err = pgx.ForEachRow(rows, []any{&row.network, &row.node, &total}, func() error {
		network, err := netip.ParsePrefix(row.network)
		if err != nil && row.network != (netip.Prefix{}).String() {
			return err
		}
		before := a.seen[row]
		if total < before {
			before = 0 // The row was deleted and inserted again.
		}
		if total > before {
			others[network] += int(total - before)
		}
		seen[row] = total
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(seen) == maxRead {
		// Rows that were not read, because there are too many, may be read again.
		for row, total := range a.seen {
			if _, ok := seen[row]; !ok && len(seen) < 2*maxRead {
				seen[row] = total
			}
		}
	}
	a.seen = seen
	return others, nil
}
