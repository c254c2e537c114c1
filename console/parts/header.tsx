import { useEffect, useRef } from 'preact/hooks';
import { apiUrl } from '../api/call.ts';
import { place } from '../router.ts';
import { routes } from '../routes.ts';
import { askForToken, isSignedIn, session } from '../session.ts';
import { upload as uploadText } from '../strings/upload.ts';
import { strings } from '../strings.ts';
import { runningBatch } from '../upload/running.ts';
import { Icon } from './icon.tsx';
import { overflowClass, useOverflow } from './overflow.ts';
import { SearchField } from './search-field.tsx';
import { SignOut } from './sign-out.tsx';

/** `bare` where there is nothing to see before somebody signs in. */
export function Header({ bare }: { readonly bare: boolean }) {
  return (
    <header class={bare ? 'top top-bare' : 'top'}>
      <a class="brand" href="./">
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <path class="brand-box" d="M3 9 16 3l13 6v14l-13 6L3 23z" />
          <path class="brand-edge" d="m4 9.500 12 5.500 12-5.500M16 15v13" />
          <circle class="brand-seal" cx="16" cy="15" r="4" />
        </svg>
        {strings.product}
      </a>
      {bare ? null : <SearchField />}
      {bare ? null : <Person />}
      {bare ? null : <Navigation />}
    </header>
  );
}

function Navigation() {
  const bar = useRef<HTMLElement>(null);
  const overflow = useOverflow(bar);
  const { path: at } = place.value;
  useEffect(() => {
    const { current } = bar;
    const here = current?.querySelector<HTMLElement>('[aria-current]');
    if (current != null && here != null) current.scrollLeft = here.offsetLeft - (current.clientWidth - here.offsetWidth) / 2;
  }, [at]);
  return (
    <div class={`top-navigation ${overflowClass(overflow)}`}>
      <nav ref={bar} aria-label={strings.navigation.label}>
        <ul>
          {routes
            .filter(({ navigation }) => navigation !== undefined)
            .map(({ path, navigation }) => {
              const here = path === '' ? place.value.path === '' : place.value.path === path || place.value.path.startsWith(`${path}/`);
              return (
                <li key={path}>
                  <a href={path === '' ? './' : path} {...(here ? { 'aria-current': 'page' as const } : {})}>
                    {navigation}
                  </a>
                </li>
              );
            })}
          <OnItsWay />
          <li class="navigation-last">
            <a href={apiUrl('docs/')} target="_blank" rel="noreferrer">
              {strings.navigation.interface}
            </a>
          </li>
        </ul>
      </nav>
    </div>
  );
}

/** What is being sent from this tab, on whatever page. */
function OnItsWay() {
  const running = runningBatch.value;
  if (running === undefined) return null;
  return (
    <li>
      <a href={`packages/${running.packageId}`} class="on-its-way">
        {running.paused ? uploadText.runningPaused : uploadText.running(String(running.percent))}
      </a>
    </li>
  );
}

function Person() {
  const { who } = session.value;
  if (who === undefined) return <span class="person" />;
  if (!isSignedIn.value)
    return (
      <span class="person">
        <span class="person-name quiet">{who.grants.length > 0 ? strings.signIn.readOnly : ''}</span>
        <button type="button" class="button" onClick={askForToken}>
          {strings.signIn.title}
        </button>
      </span>
    );
  return (
    <span class="person">
      <span class="person-name" title={strings.signIn.signedInAs(who.actor)}>
        <Icon name="person" /> {who.actor}
      </span>
      <SignOut />
    </span>
  );
}
