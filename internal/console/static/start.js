// Asks for the session, and loads the module of the page, while the modules of the frame are
// still loading.
globalThis.jetonSession = fetch('session', { credentials: 'same-origin' });
globalThis.jetonSession.catch(() => {});

// modules load the pages, by the first parts of the route.
const modules = {
  overview: () => import('./overview.js'),
  functions: () => import('./functions.js'),
  function: () => import('./function.js'),
  namespaces: () => import('./namespaces.js'),
  tokens: () => import('./tokens.js'),
  keys: () => import('./keys.js'),
  admin: () => import('./admin.js'),
};
const names = { functions: 'functions', namespaces: 'namespaces', tokens: 'tokens', keys: 'keys', projects: 'admin', audit: 'admin', server: 'admin' };

// load loads the module of a page; of the page that the address names without a name.
export function load(name) {
  const [first, second] = location.hash.replace(/^#\/?/, '').split('?')[0].split('/');
  return modules[name || (first === 'functions' && second ? 'function' : names[first] || 'overview')]();
}
load().catch(() => {}); // The page shows the error.
