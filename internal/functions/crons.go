package functions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
)

const cronResource = "Cron"

// CreateCron makes a cron for a function, which need not be deployed yet.
func (s *Service) CreateCron(ctx context.Context, scope Scope, c CreateCron) (Cron, error) {
	id, now := s.NewID(), s.Now()
	made := Cron{
		ID: id, Region: scope.Region, FunctionID: c.FunctionID,
		// The generated name was read from recorded traffic.
		Name: cmp.Or(c.Name, "cron-"+id), Schedule: c.Schedule, Args: compactArgs(c.Args),
		Status: Pending, CreatedAt: now, Since: now,
	}
	if err := made.validate(); err != nil {
		return Cron{}, err
	}
	return change(ctx, s.Store, func(tx Tx) (Cron, error) {
		f, err := called(tx, scope, c.FunctionID)
		if err != nil {
			return made, err
		}
		if err := s.cronQuotas(tx, f); err != nil {
			return made, err
		}
		made.ProjectID = f.ProjectID
		return made, tx.Put(made)
	})
}

// compactArgs is the arguments without the spaces between them; what is no JSON
// is left as it is, to be refused.
func compactArgs(args json.RawMessage) json.RawMessage {
	if len(args) == 0 || string(args) == "null" {
		return json.RawMessage("{}")
	}
	var compact bytes.Buffer
	if len(args) > maxArgs || json.Compact(&compact, args) != nil {
		return args
	}
	return compact.Bytes()
}

// called finds the function that a cron, a trigger or a domain is to call.
func called(tx Tx, scope Scope, id string) (Function, error) {
	if id == "" {
		return Function{}, required("function_id")
	}
	if !ValidID(id) {
		return Function{}, malformed("function_id", "must be a UUID")
	}
	f, err := function(tx, scope, id)
	if err == nil && f.Status == Deleting {
		err = transient("function", f.ID, f.Status)
	}
	return f, err
}

// Cron returns one cron.
func (s *Service) Cron(ctx context.Context, scope Scope, id string) (Cron, error) {
	return get(ctx, s.Store, func(tx Tx) (Cron, error) { return findCron(tx, scope, id) })
}

func findCron(tx Tx, scope Scope, id string) (Cron, error) {
	c, err := tx.Cron(id)
	if err == nil && !scope.sees(c.Region, c.ProjectID) {
		return Cron{}, NotFoundError(cronResource, id)
	}
	return c, err
}

// Crons lists the crons of a function, and says how many there are.
func (s *Service) Crons(ctx context.Context, scope Scope, filter Filter, page Page) ([]Cron, int, error) {
	page, err := attachedTo(filter, page)
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.Store, scope, filter, func(tx Tx, f Filter) ([]Cron, int, error) { return tx.Crons(f, page) })
}

// attachedTo checks what asks for a list of the things of one function.
func attachedTo(filter Filter, page Page, fields ...string) (Page, error) {
	if filter.FunctionID == "" {
		return page, required("function_id")
	}
	if !ValidID(filter.FunctionID) {
		return page, malformed("function_id", "must be a UUID")
	}
	return page.Checked(fields...)
}

// UpdateCron changes a cron.
func (s *Service) UpdateCron(ctx context.Context, scope Scope, id string, u UpdateCron) (Cron, error) {
	return change(ctx, s.Store, func(tx Tx) (Cron, error) {
		c, err := findCron(tx, scope, id)
		if err != nil {
			return c, err
		}
		if u.FunctionID != nil && *u.FunctionID != c.FunctionID {
			f, err := called(tx, scope, *u.FunctionID)
			if err != nil {
				return c, err
			}
			if err := s.cronQuotas(tx, f); err != nil {
				return c, err
			}
			c.ProjectID = f.ProjectID
		}
		set(&c.FunctionID, u.FunctionID)
		set(&c.Name, u.Name)
		if u.Schedule != nil && *u.Schedule != c.Schedule {
			c.Schedule, c.Since = *u.Schedule, s.Now()
		}
		if len(u.Args) > 0 {
			c.Args = compactArgs(u.Args)
		}
		c.Status = Pending
		if err := c.validate(); err != nil {
			return c, err
		}
		return c, tx.Put(c)
	})
}

// DeleteCron deletes a cron. It calls no more when this has returned.
func (s *Service) DeleteCron(ctx context.Context, scope Scope, id string) (Cron, error) {
	return change(ctx, s.Store, func(tx Tx) (Cron, error) {
		c, err := findCron(tx, scope, id)
		if err != nil {
			return c, err
		}
		c.Status = Deleting
		return c, tx.Delete(c)
	})
}
