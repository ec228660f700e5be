package functions

import "fmt"

// A quota is the maximum number of objects of one kind that match a filter.
type quota struct {
	// within names what the objects belong to, such as "function".
	within string
	of     Filter
	most   int
}

// checkQuotas returns an Error with the code QuotaExceeded if one more object of
// the kind, named by noun, would exceed one of the quotas.
func checkQuotas[T Object](find func(Filter, Page) ([]T, int, error), noun string, quotas ...quota) error {
	for _, q := range quotas {
		_, count, err := find(q.of, Page{Number: 1, Size: 1})
		if err != nil {
			return err
		}
		if count >= q.most {
			return &Error{
				Code: QuotaExceeded, Resource: noun, Quota: q.most, Current: count,
				Message: fmt.Sprintf("quota exceeded: at most %d %ss per %s", q.most, noun, q.within),
			}
		}
	}
	return nil
}

// perFunction and perProject return the quotas of objects that belong to a function.
func perFunction(f Function, most int) quota {
	return quota{"function", Filter{FunctionID: f.ID}, most}
}

func perProject(projectID string, most int) quota {
	return quota{"project", Filter{ProjectID: projectID}, most}
}

// namespaceQuota checks that one more namespace like those of the filter is allowed.
func (s *Service) namespaceQuota(tx Tx, siblings Filter) error {
	_, count, err := tx.Namespaces(siblings, Page{Number: 1, Size: 1})
	if err != nil {
		return err
	}
	if count >= s.config.Limits.Namespaces {
		return quotaExceeded("namespace", s.config.Limits.Namespaces, count)
	}
	return nil
}

// functionQuota checks that the organization of f may have one more function.
func (s *Service) functionQuota(tx Tx, f Function) error {
	_, count, err := tx.Functions(Filter{OrganizationID: f.OrganizationID}, Page{Number: 1, Size: 1})
	if err != nil {
		return err
	}
	if count >= s.config.Limits.Functions {
		return quotaExceeded("function", s.config.Limits.Functions, count)
	}
	return nil
}

// cronQuotas checks that a function may have one more cron.
func (s *Service) cronQuotas(tx Tx, f Function) error {
	return checkQuotas(tx.Crons, "cron", perFunction(f, s.config.Limits.Crons), perProject(f.ProjectID, s.config.Limits.ProjectCrons))
}

// triggerQuotas checks that a function may have one more trigger.
func (s *Service) triggerQuotas(tx Tx, f Function) error {
	return checkQuotas(tx.Triggers, "trigger", perFunction(f, s.config.Limits.Triggers), perProject(f.ProjectID, s.config.Limits.ProjectTriggers))
}

// domainQuotas checks that a function may have one more domain.
func (s *Service) domainQuotas(tx Tx, f Function) error {
	return checkQuotas(tx.Domains, "domain", perFunction(f, s.config.Limits.Domains), perProject(f.ProjectID, s.config.Limits.ProjectDomains))
}

// tokenQuotas checks that one more token with the scope of t is allowed.
func (s *Service) tokenQuotas(tx Tx, t Token) error {
	scope := quota{"function", Filter{FunctionID: t.FunctionID}, s.config.Limits.Tokens}
	if t.NamespaceID != "" {
		scope = quota{"namespace", Filter{NamespaceID: t.NamespaceID}, s.config.Limits.Tokens}
	}
	return checkQuotas(tx.Tokens, "token", scope, perProject(t.ProjectID, s.config.Limits.ProjectTokens))
}
