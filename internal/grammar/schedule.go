package grammar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// A Schedule is a sequence of times.
type Schedule interface {
	// Next returns the first time after t, in t's time zone; zero if there is none.
	Next(t time.Time) time.Time
}

// MaxSchedule is the maximum length of a schedule, in bytes.
const MaxSchedule = 200

// ParseSchedule parses a cron expression as documented by Scaleway: five fields, or one of
// the descriptors @hourly, @daily, @weekly, @monthly and @yearly. The days of the week are
// 0 to 7, where 0 and 7 are Sunday. @every and time zones are errors.
func ParseSchedule(text string) (Schedule, error) {
	switch {
	case len(text) > MaxSchedule:
		return nil, fmt.Errorf("must be at most %d bytes", MaxSchedule)
	case strings.Contains(text, "TZ="):
		// The parser panics on some time zones, and crons run in UTC.
		return nil, errors.New("a time zone cannot be given: crons run in UTC")
	case strings.HasPrefix(strings.TrimSpace(text), "@every"):
		return nil, errors.New("@every is not supported")
	}
	fields := strings.Fields(text)
	if len(fields) == 5 {
		fields[4] = sundays(fields[4])
		text = strings.Join(fields, " ")
	}
	return cron.ParseStandard(text)
}

// sundays replaces the day of the week 7, which the parser does not support, with 0. It
// expands ranges that end with 7 into lists.
func sundays(field string) string {
	parts := strings.Split(field, ",")
	for i, part := range parts {
		days, step, stepped := strings.Cut(part, "/")
		first, last, ranged := strings.Cut(days, "-")
		switch from, err := strconv.Atoi(first); {
		case days == "7" && !stepped:
			parts[i] = "0"
		case ranged && last == "7" && err == nil:
			by := 1
			if stepped {
				by, _ = strconv.Atoi(step)
			}
			if from <= 7 && by > 0 { // Otherwise the parser returns an error.
				parts[i] = spelledOut(from, by)
			}
		}
	}
	return strings.Join(parts, ",")
}

// spelledOut returns the list of every by-th day from one day to 7, with 7 as 0.
func spelledOut(from, by int) string {
	var days []string
	for day := from; day <= 7; day += by {
		days = append(days, strconv.Itoa(day%7))
	}
	return strings.Join(days, ",")
}
