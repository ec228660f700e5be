package functions

import (
	"encoding/json"
	"time"

	"github.com/jeton-dev/jeton/internal/grammar"
)

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
	// Since is until when the schedule has been carried out: the first time
	// after it is the next call's.
	Since time.Time
}

// ObjectID implements Object.
func (c Cron) ObjectID() string { return c.ID }

// CreateCron is what a new cron is made from. Without a name, one is made up;
// without Args, calls have an empty object as body.
type CreateCron struct {
	FunctionID string
	Name       string
	Schedule   string
	Args       json.RawMessage
}

// UpdateCron changes what is not nil or empty.
type UpdateCron struct {
	FunctionID *string
	Name       *string
	Schedule   *string
	Args       json.RawMessage
}

const (
	maxName = grammar.MaxAttachedName
	// maxArgs bounds the arguments of a cron, in bytes; the real bound is not
	// known.
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

// validSchedule accepts what Scaleway's documentation does: five fields, and
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
		return malformed("schedule", "%.200q is no cron expression (%v): %s", schedule, err, help)
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
