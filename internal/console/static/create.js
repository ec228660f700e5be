import { region, api, fn, query, useData, go, html } from './lib.js';
import { Problem, toast, Confirm, FormDialog } from './ui.js';

const runtimesOf = () => api('GET', fn(region.value, '/runtimes'));
export const namespacesOf = async (place) => (await api('GET', fn(place, '/namespaces') + query({ page_size: 100, order_by: 'name_asc' }))).namespaces;

export function CreateFunction({ onClose, namespaceID }) {
  const place = region.value;
  const all = useData(async () => {
    const [namespaces, runtimes] = await Promise.all([namespacesOf(place), runtimesOf()]);
    return { namespaces, runtimes: runtimes.runtimes.filter((r) => r.status === 'available') };
  }, []);
  if (all.error) return html`<${Confirm} title="Create a function" action="Close" onConfirm=${onClose} onClose=${onClose}><${Problem} error=${all.error} /><//>`;
  if (!all.data) return null;
  const { namespaces, runtimes } = all.data;
  const served = runtimes.filter((r) => r.implementation);
  const usable = served.length ? served : runtimes;
  const preferred = usable.filter((r) => r.language.toLowerCase().startsWith('node')).at(-1) || usable[0];
  const options = [...namespaces.map((n) => ({ value: n.id, label: n.name })), { value: '', label: 'New namespace…' }];
  const fields = [
    { name: 'namespace', label: 'Namespace', options, value: namespaceID || (namespaces[0] ? namespaces[0].id : '') },
    { name: 'newNamespace', label: 'Name of the new namespace', value: 'main', required: true, when: (v) => v.namespace === '' },
    { name: 'name', label: 'Name', required: true, help: 'Lower-case letters, digits and hyphens.', pattern: '[a-z0-9]([\\-a-z0-9]*[a-z0-9])?', maxlength: 34, autocomplete: 'off' },
    { name: 'runtime', label: 'Runtime', options: usable.map((r) => ({ value: r.name, label: `${r.language} ${r.version} (${r.name})` })), value: preferred && preferred.name },
    { name: 'handler', label: 'Handler', help: 'Empty: the default of the runtime.' },
    { name: 'privacy', label: 'Who may call it', options: [{ value: 'private', label: 'Private: callers with a token' }, { value: 'public', label: 'Public: everyone' }], value: 'private' },
  ];
  const submit = async (v) => {
    let namespace = v.namespace;
    if (!namespace) {
      const created = await api('POST', fn(place, '/namespaces'), { name: v.newNamespace });
      namespace = created.id;
      for (let i = 0; i < 50 && (await api('GET', fn(place, '/namespaces/' + namespace))).status !== 'ready'; i++) await new Promise((done) => setTimeout(done, 150));
    }
    const f = await api('POST', fn(place, '/functions'), { namespace_id: namespace, name: v.name, runtime: v.runtime, handler: v.handler, privacy: v.privacy });
    toast(`${f.name} was created. Drop its code to deploy it.`);
    onClose();
    go('/functions/' + f.id + '/deploy');
  };
  return html`<${FormDialog} title="Create a function" action="Create" fields=${fields} onSubmit=${submit} onClose=${onClose} />`;
}
