// Asks for the session while the other modules are still loading.
globalThis.jetonSession = fetch('session', { credentials: 'same-origin' });
globalThis.jetonSession.catch(() => {});
