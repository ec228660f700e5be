package server

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
)

// names returns the names of functions and namespaces by their IDs. Before the views are open it
// has none. It is safe for concurrent use.
type names struct {
	look atomic.Pointer[func(id string) string]
}

// of returns NAMESPACE/NAME for the ID of a function, NAME for that of a namespace, or "".
func (n *names) of(id string) string {
	look := n.look.Load()
	if look == nil || id == "" {
		return ""
	}
	return (*look)(id)
}

const (
	functionIDKey = "function_id"
	functionKey   = "function"
)

// namedLog returns a logger that adds the name of the function to records with its ID.
func namedLog(log *slog.Logger, known *names) *slog.Logger {
	return slog.New(namingHandler{Handler: log.Handler(), names: known})
}

// namingHandler adds the attribute function, unless a record has it.
type namingHandler struct {
	slog.Handler
	names *names
}

// Handle implements slog.Handler.
func (h namingHandler) Handle(ctx context.Context, r slog.Record) error {
	id, named := "", false
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case functionKey:
			named = true
		case functionIDKey:
			id = a.Value.String()
		}
		return true
	})
	if !named {
		if name := h.names.of(id); name != "" {
			r.AddAttrs(slog.String(functionKey, name))
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h namingHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	named := slices.ContainsFunc(attributes, func(a slog.Attr) bool { return a.Key == functionKey })
	for _, a := range attributes {
		if name := h.names.of(a.Value.String()); a.Key == functionIDKey && name != "" && !named {
			attributes = append(slices.Clone(attributes), slog.String(functionKey, name))
			break
		}
	}
	return namingHandler{Handler: h.Handler.WithAttrs(attributes), names: h.names}
}

// WithGroup implements slog.Handler.
func (h namingHandler) WithGroup(name string) slog.Handler {
	return namingHandler{Handler: h.Handler.WithGroup(name), names: h.names}
}
