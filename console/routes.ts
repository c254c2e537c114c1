import type { ComponentType } from 'preact';
import { strings } from './strings.ts';

export interface PageProps {
  /** What the pattern of the route has found in the path. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Route {
  /** Below `/console/`: `packages/:id`, and `*` for the rest with its slashes. */
  readonly path: string;
  /** Where it is in the navigation, if it is there. */
  readonly navigation?: string;
  /** Its code is loaded when it is opened first. */
  load(): Promise<{ readonly default: ComponentType<PageProps> }>;
}

/** Every page of the console: its address, its place in the navigation, its file. The first that fits is shown. */
export const routes: readonly Route[] = [
  { path: '', navigation: strings.navigation.overview, load: () => import('./pages/overview.tsx') },
  { path: 'packages', navigation: strings.navigation.packages, load: () => import('./pages/packages.tsx') },
  { path: 'packages/new', load: () => import('./pages/new-package.tsx') },
  { path: 'packages/:id', load: () => import('./pages/package.tsx') },
  { path: 'packages/:id/files/*', load: () => import('./pages/file.tsx') },
  { path: 'storage', navigation: strings.navigation.storage, load: () => import('./pages/storage.tsx') },
  { path: 'uploads', navigation: strings.navigation.uploads, load: () => import('./pages/uploads.tsx') },
  { path: 'usage', navigation: strings.navigation.usage, load: () => import('./pages/usage.tsx') },
  { path: 'events', navigation: strings.navigation.events, load: () => import('./pages/events.tsx') },
  { path: 'access', navigation: strings.navigation.access, load: () => import('./pages/access.tsx') },
  { path: 'search', load: () => import('./pages/search.tsx') },
];
