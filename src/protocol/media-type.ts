import { extname } from 'node:path';
import mimeTypes from 'mime-types';

/**
 * The media type that goes with the ending of a path's last name. A name without a dot has no ending, even where it
 * looks like one, as `md` or `f`.
 */
export function mediaTypeOf(path: string): string {
  const ending = extname(path);
  return (ending !== '' && mimeTypes.lookup(ending)) || 'application/octet-stream';
}
