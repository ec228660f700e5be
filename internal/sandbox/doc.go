// Package sandbox owns the walls around one process that nobody trusts: what it
// sees, whom it may be, what it may ask of the kernel and how much it may take.
// It proves that the walls stand before anything runs behind them, and never
// lowers them by itself. It knows nothing of functions, languages or HTTP, and
// decides neither what runs nor when.
package sandbox
