import type { FastifySwaggerUiOptions } from '@fastify/swagger-ui';

/** The pages of /docs load nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const ink = '#1d3b4f';

/** A box with a seal. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="${ink}" d="M3 9 16 3l13 6v14l-13 6L3 23z"/><path fill="none" stroke="#fff" stroke-width="2" d="m4 9.500 12 5.500 12-5.500M16 15v13"/><circle cx="16" cy="15" r="4" fill="#e0a526"/></svg>`;

const styles = `
body { margin: 0; background: #fbfbf9; }
.swagger-ui, .swagger-ui .info .title, .swagger-ui .opblock-tag, .swagger-ui .opblock .opblock-summary-description { font-family: system-ui, sans-serif; color: ${ink}; }
.swagger-ui .info { margin: 24px 0 8px; }
.swagger-ui .info .title { font-size: 28px; }
.swagger-ui .info .title small { background: ${ink}; }
.swagger-ui .scheme-container { background: none; box-shadow: none; padding: 0 0 12px; margin: 0; }
.swagger-ui .opblock-tag { font-size: 18px; border-color: #d8dcd8; }
.swagger-ui .opblock { box-shadow: none; border-radius: 2px; }
.swagger-ui .btn.authorize { border-color: ${ink}; color: ${ink}; }
.swagger-ui .btn.authorize svg { fill: ${ink}; }
@media (prefers-color-scheme: dark) { html { background: #fbfbf9; color-scheme: light; } }
`;

/**
 * The pages for people: the description of the routes and nothing else. Without the bar at the top there is no field
 * for the address of another description, which this page may not load.
 */
export const docsPage: FastifySwaggerUiOptions = {
  routePrefix: '/docs',
  staticCSP: contentSecurityPolicy,
  uiConfig: { layout: 'BaseLayout', persistAuthorization: false, defaultModelsExpandDepth: 0 },
  theme: {
    title: 'artifactstore: the HTTP interface',
    css: [{ filename: 'artifactstore.css', content: styles }],
    favicon: [{ filename: 'artifactstore.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: icon }],
  },
};
