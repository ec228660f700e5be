import { useSignal, region, may, html, useState } from './lib.js';
import { LinkButton, Card, Empty, Code, Choice } from './ui.js';
import { firstFunction } from './terraform.js';

export function Start({ namespaces }) {
  const place = useSignal(region);
  const [tool, setTool] = useState('terraform');
  const cli = `export SCW_API_URL=${location.origin}
export SCW_SECRET_KEY=...   # this API key
scw function namespace create name=demo
scw function function create name=hello runtime=node22 privacy=private namespace-id=...
scw function deploy name=hello runtime=node22 zip-file=function.zip namespace-id=...`;
  return html`<${Card} kind="start"><${Empty} icon="functions" title=${namespaces ? 'No functions in this region yet' : 'Deploy the first function'} actions=${may('write') && html`<${LinkButton} kind="primary" icon="plus" href="#/functions?create=1">Create a function<//>`}>
      <p>Create one here and drop its zip archive on the page, or use the tools that you know:</p><//>
    <div class="start-code"><${Choice} label="Tool" value=${tool} onChange=${setTool} options=${[{ value: 'terraform', label: 'Terraform' }, { value: 'scw', label: 'scw' }]} /><${Code} label=${tool === 'scw' ? 'Commands of scw' : 'Terraform configuration'} text=${tool === 'scw' ? cli : firstFunction(place)} /></div><//>`;
}
