import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useErrorBoundary } from 'preact/hooks';
import { unreachable } from './api/problem.ts';
import { asProblem } from './api/resource.ts';
import { connected, connectionEpoch, connectionLost, isReachable } from './connection.ts';
import { match } from './match.ts';
import { Announcements } from './parts/announce.tsx';
import { ExactForm } from './parts/exact.tsx';
import { Header } from './parts/header.tsx';
import { Icon } from './parts/icon.tsx';
import { Page } from './parts/page.tsx';
import { SignIn } from './parts/sign-in.tsx';
import { Empty, Failure, Loading } from './parts/states.tsx';
import { place } from './router.ts';
import { type PageProps, type Route, routes } from './routes.ts';
import { session } from './session.ts';
import { strings } from './strings.ts';

export function App() {
  const { who, asks } = session.value;
  // Somebody who may see nothing sees the question alone; whoever was in the middle of something keeps it behind it.
  const hasPage = who !== undefined && (who.grants.length > 0 || asks === 'refused');
  return (
    <>
      <a class="skip" href="#content">
        {strings.skipToContent}
      </a>
      <Header bare={who !== undefined && !hasPage} />
      {connected.value ? null : (
        <p class="offline" role="alert">
          <Icon name="lost" /> {strings.states.offline}
        </p>
      )}
      <main id="content" tabIndex={-1}>
        {hasPage ? <Outlet /> : who === undefined && asks === undefined ? <Loading rows={6} /> : null}
      </main>
      {asks === undefined ? null : <SignIn why={asks} alone={!hasPage} />}
      <ExactForm />
      <Announcements />
    </>
  );
}

/** Its code comes while the server says who asks. What fails here is tried again when the page is shown. */
export function loadPage(): void {
  routeTo(place.value.path)
    ?.route.load()
    .catch(() => undefined);
}

function routeTo(path: string): ({ readonly route: Route } & PageProps) | undefined {
  for (const route of routes) {
    const parameters = match(route.path, path);
    if (parameters !== undefined) return { route, parameters };
  }
  return undefined;
}

function Outlet() {
  const found = routeTo(place.value.path);
  if (found !== undefined) return <Opened key={`${found.route.path} ${JSON.stringify(found.parameters)}`} {...found} />;
  return (
    <Page title={strings.states.notFound.title}>
      <Empty title={strings.states.notFound.detail}>
        <a href="./">{strings.states.notFound.overview}</a>
      </Empty>
    </Page>
  );
}

const known = new Map<Route, ComponentType<PageProps>>();

function Opened({ route, parameters }: { readonly route: Route } & PageProps) {
  const shown = useSignal(known.get(route));
  const failed = useSignal<'server' | 'code' | undefined>(undefined);
  const [broken, again] = useErrorBoundary();
  const load = (): void => {
    failed.value = undefined;
    route.load().then(
      (module) => {
        known.set(route, module.default);
        shown.value = module.default;
      },
      async (error: unknown) => {
        // The browser does not say why its code did not come.
        if (await isReachable()) {
          console.error(error);
          failed.value = 'code';
        } else {
          failed.value = 'server';
          connectionLost();
        }
      },
    );
  };
  const { value: epoch } = connectionEpoch;
  useEffect(() => {
    if (shown.peek() === undefined) load();
  }, [epoch]);
  if (broken !== undefined) return <Failure problem={asProblem(broken)} retry={again} />;
  if (failed.value !== undefined)
    return (
      <Page title={route.navigation ?? strings.states.failed}>
        {failed.value === 'server' ? <Failure problem={unreachable()} retry={load} /> : <NoCode />}
      </Page>
    );
  const Content = shown.value;
  return Content === undefined ? <Loading rows={6} /> : <Content parameters={parameters} />;
}

/** Its code has another name in each version: where the server has another one since, the console is loaded again. */
function NoCode() {
  const { title, detail, reload } = strings.states.noCode;
  return (
    <Empty title={title} icon="warning">
      <p>{detail}</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        {reload}
      </button>
    </Empty>
  );
}
