// The rules for the modules of the console and the scripts of its tests: every name is
// defined, and every import is used.
import globals from 'globals';

const rules = { 'no-undef': 'error', 'no-unused-vars': ['error', { ignoreRestSiblings: true }], 'no-redeclare': 'error', 'no-dupe-keys': 'error', 'no-unreachable': 'error', 'no-const-assign': 'error' };

export default [
  { files: ['**/internal/console/static/*.js'], languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: globals.browser }, rules },
  { files: ['**/test/console/*.mjs'], languageOptions: { ecmaVersion: 2024, sourceType: 'module', globals: { ...globals.node, ...globals.browser } }, rules },
  { ignores: ['**/preact.js', '**/node_modules/**'] },
];
