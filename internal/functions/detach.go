package functions

import "errors"

// detach deletes what leads to a function from outside: its tokens, crons,
// triggers and domains.
func detach(tx Tx, functionID string) error {
	of := Filter{FunctionID: functionID}
	return errors.Join(
		deleteAll(tx, of, tx.Tokens), deleteAll(tx, of, tx.Crons),
		deleteAll(tx, of, tx.Triggers), deleteAll(tx, of, tx.Domains),
	)
}

func deleteAll[T Object](tx Tx, filter Filter, find func(Filter, Page) ([]T, int, error)) error {
	found, _, err := find(filter, Page{})
	if err != nil {
		return err
	}
	for _, object := range found {
		if err := tx.Delete(object); err != nil {
			return err
		}
	}
	return nil
}
