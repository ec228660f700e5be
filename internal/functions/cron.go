package functions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

const cronResource = "Cron"

// A Cron calls a function on a schedule, in UTC.
type Cron struct {
	ID         string
	Region     Region
	ProjectID  string
	FunctionID string
	Name       string
	// Schedule is a cron expression of five fields, or a descriptor such as
	// @hourly.
	Schedule string
	// Args is the JSON object that is the body of each call.
	Args      json.RawMessage
	Status    Status
	CreatedAt time.Time
	// NextAfter is the time after which the next call is due: the next call is made
	// at the first time of the schedule after it.
	NextAfter time.Time `json:"Since"`
}

// ObjectID implements Object.
func (c Cron) ObjectID() string { return c.ID }

// MarkReady makes a pending cron ready. It reports whether the cron was pending.
func (c *Cron) MarkReady() bool {
	if c.Status != Pending {
		return false
	}
	c.Status = Ready
	return true
}

// MarkCalled records that the call which was due at a time is being made, so that
// the next one is due after it. It returns false, and records nothing, unless the cron is ready.
func (c *Cron) MarkCalled(at time.Time) bool {
	if c.Status != Ready {
		return false
	}
	c.NextAfter = at
	return true
}

// CreateCron describes a new cron. If Name is empty, a name is generated; if Args is
// empty, the body of each call is an empty object.
type CreateCron struct {
	FunctionID string
	Name       string
	Schedule   string
	Args       json.RawMessage
}

// UpdateCron changes the fields that are not nil or empty.
type UpdateCron struct {
	FunctionID *string
	Name       *string
	Schedule   *string
	Args       json.RawMessage
}

const (
	// maxName is the maximum length of the names of crons and triggers, in bytes.
	maxName = grammar.MaxAttachedName
	// maxArgs is the maximum size of the arguments of a cron, in bytes. The limit
	// of the real service is not known.
	maxArgs = 64 << 10
)

func (c Cron) validate() error {
	if len(c.Name) > maxName {
		return outOfBounds("name", "must be at most %d bytes, is %d", maxName, len(c.Name))
	}
	if err := validSchedule(c.Schedule); err != nil {
		return err
	}
	return validArgs(c.Args)
}

// validSchedule accepts the schedules of Scaleway's documentation: five fields, and
// the descriptors that stand for them.
func validSchedule(schedule string) error {
	const help = "write five fields, minute, hour, day of month, month and day of week, such as \"*/5 * * * *\" for every five minutes, in UTC; or one of @hourly, @daily, @weekly, @monthly, @yearly"
	switch {
	case schedule == "":
		return required("schedule")
	case len(schedule) > grammar.MaxSchedule:
		return outOfBounds("schedule", "must be at most %d bytes, is %d", grammar.MaxSchedule, len(schedule))
	}
	if _, err := grammar.ParseSchedule(schedule); err != nil {
		return malformed("schedule", "%.200q is not a cron expression (%v): %s", schedule, err, help)
	}
	return nil
}

func validArgs(args json.RawMessage) error {
	if len(args) > maxArgs {
		return outOfBounds("args", "must be at most %d bytes, is %d", maxArgs, len(args))
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(args, &object); err != nil || object == nil {
		return malformed("args", "must be a JSON object, such as {\"key\": \"value\"}")
	}
	return nil
}

// compactArgs removes the spaces between the tokens of arguments. Arguments that are
// not JSON are returned unchanged, for validArgs to refuse.
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

// CreateCron creates a cron of a function, which need not be deployed yet.
func (s *Service) CreateCron(ctx context.Context, scope Scope, c CreateCron) (Cron, error) {
	id, now := s.config.NewID(), s.config.Now()
	created := Cron{
		ID: id, Region: scope.Region, FunctionID: c.FunctionID,
		// The form of the generated name is that of recorded traffic.
		Name: cmp.Or(c.Name, "cron-"+id), Schedule: c.Schedule, Args: compactArgs(c.Args),
		Status: Pending, CreatedAt: now, NextAfter: now,
	}
	if err := created.validate(); err != nil {
		return Cron{}, err
	}
	return change(ctx, s.config.Store, func(tx Tx) (Cron, error) {
		f, err := targetFunction(tx, scope, c.FunctionID)
		if err != nil {
			return Cron{}, err
		}
		if err := s.cronQuotas(tx, f); err != nil {
			return Cron{}, err
		}
		cron := created
		cron.ProjectID = f.ProjectID
		return cron, tx.Put(cron)
	})
}

// targetFunction returns the function that a new cron, trigger or domain belongs to.
func targetFunction(tx Tx, scope Scope, id string) (Function, error) {
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
	return get(ctx, s.config.Store, func(tx Tx) (Cron, error) { return findCron(tx, scope, id) })
}

// findCron returns a cron that the scope covers.
func findCron(tx Tx, scope Scope, id string) (Cron, error) {
	c, err := tx.Cron(id)
	if err == nil && !scope.sees(c.Region, c.ProjectID) {
		return Cron{}, NotFoundError(cronResource, id)
	}
	return c, err
}

// Crons returns one page of the crons of a function, and the total number.
func (s *Service) Crons(ctx context.Context, scope Scope, filter Filter, page Page) ([]Cron, int, error) {
	page, err := checkAttachedPage(filter, page)
	if err != nil {
		return nil, 0, err
	}
	return list(ctx, s.config.Store, scope, filter, func(tx Tx, f Filter) ([]Cron, int, error) { return tx.Crons(f, page) })
}

// checkAttachedPage checks a request for a list of objects that belong to one
// function.
func checkAttachedPage(filter Filter, page Page, fields ...string) (Page, error) {
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
	return change(ctx, s.config.Store, func(tx Tx) (Cron, error) {
		c, err := findCron(tx, scope, id)
		if err != nil {
			return c, err
		}
		if u.FunctionID != nil && *u.FunctionID != c.FunctionID {
			f, err := targetFunction(tx, scope, *u.FunctionID)
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
			c.Schedule, c.NextAfter = *u.Schedule, s.config.Now()
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

// DeleteCron deletes a cron. When it returns, the cron makes no more calls.
func (s *Service) DeleteCron(ctx context.Context, scope Scope, id string) (Cron, error) {
	return change(ctx, s.config.Store, func(tx Tx) (Cron, error) {
		c, err := findCron(tx, scope, id)
		if err != nil {
			return c, err
		}
		c.Status = Deleting
		return c, tx.Delete(c)
	})
}
