/**
 * Escapes foreign text in messages: paths, the names in a server's certificate, and any other text that users, servers or
 * systems have chosen.
 *
 * Messages become lines of logs and terminals, where a control character could forge a line, hide one, or change the
 * direction of the text after it. Here such characters are made visible. The fields of errors are left as they are.
 *
 * @since 0.1.0
 */

/**
 * How much of a text a message shows at most: 512 UTF-16 code units.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxLength = 512

/**
 * The text with escapes such as `\u001b` for all characters that could act instead of being read: control characters (C0,
 * DEL, C1), separators of lines and paragraphs, marks and isolates of direction, invisible characters, and lone surrogates.
 * A text longer than `maxLength` is cut, and ends with an ellipsis.
 *
 * @category formatting
 * @since 0.1.0
 */
export const escape = (text: string): string =>
  acting.test(text) || text.length > maxLength ? cut(text).replaceAll(new RegExp(acting, "gu"), escapeOne) : text

/**
 * `escape` without a limit of length, for a whole message that quotes foreign text.
 *
 * @category formatting
 * @since 0.1.0
 */
export const escapeAll = (text: string): string =>
  acting.test(text) ? text.replaceAll(new RegExp(acting, "gu"), escapeOne) : text

/**
 * `escape` in double quotes, as JSON writes a text.
 *
 * @category formatting
 * @since 0.1.0
 */
export const quote = (text: string): string => JSON.stringify(cut(text)).replaceAll(new RegExp(acting, "gu"), escapeOne)

/** Cc: control, Zl and Zp: separators, Cf: format (directions, zero widths, soft hyphens), Cs: surrogates without a pair. */
const acting = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}\p{Cs}]/u

const escapeOne = (char: string): string =>
  Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")

const cut = (text: string): string => (text.length <= maxLength ? text : `${text.slice(0, maxLength)}…`)
