/** Styles are bundled by their import, and are no value. */
declare module '*.css';
