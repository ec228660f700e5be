package grammar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// A Schedule says when a cron calls.
type Schedule interface {
	// Next is the first time after t, in t's time zone; zero if there is none.
	Next(t time.Time) time.Time
}

// MaxSchedule is the longest schedule, in bytes.
const MaxSchedule = 200

// ParseSchedule reads a cron expression as Scaleway's documentation has it: five
// fields, or one of the descriptors @hourly, @daily, @weekly, @monthly and @yearly; the
// days of the week are 0 to 7, where both ends are Sunday. It does not accept @every or
// a time zone.
func ParseSchedule(text string) (Schedule, error) {
	switch {
	case len(text) > MaxSchedule:
		return nil, fmt.Errorf("it is longer than %d bytes", MaxSchedule)
	case strings.Contains(text, "TZ="):
		// The parser panics on some of those, and crons are in UTC.
		return nil, errors.New("a time zone cannot be given, crons are in UTC")
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

// sundays writes the day of the week 7, which the parser does not know, as 0.
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
			if from <= 7 && by > 0 { // else it is for the parser to refuse
				parts[i] = spelledOut(from, by)
			}
		}
	}
	return strings.Join(parts, ",")
}

// spelledOut lists the days from one to the Sunday that is 7, some days apart.
func spelledOut(from, by int) string {
	var days []string
	for day := from; day <= 7; day += by {
		days = append(days, strconv.Itoa(day%7))
	}
	return strings.Join(days, ",")
}
