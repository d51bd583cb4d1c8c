/**
 * Foreign text in messages: paths, the names in a server's certificate, and whatever else somebody else has chosen.
 *
 * Messages become lines of logs and of terminals, where a control character could forge a line, hide one, or turn the
 * direction of what follows. Here they are made visible. What errors carry beside their message stays as it is.
 *
 * @since 0.1.0
 */

/**
 * How much of a text a message shows, in UTF-16 code units.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxLength = 512

/**
 * The text with everything that could act instead of being read written as `\u001b`: control characters (C0, DEL, C1),
 * separators of lines and paragraphs, marks and isolates of direction, invisible ones, and lone surrogates. What is
 * longer than `maxLength` ends with an ellipsis.
 *
 * @category formatting
 * @since 0.1.0
 */
export const escape = (text: string): string =>
  acting.test(text) || text.length > maxLength ? cut(text).replaceAll(new RegExp(acting, "gu"), escapeOne) : text

/**
 * The same without a limit of length: for sentences of our own that quote foreign text.
 *
 * @category formatting
 * @since 0.1.0
 */
export const escapeAll = (text: string): string =>
  acting.test(text) ? text.replaceAll(new RegExp(acting, "gu"), escapeOne) : text

/**
 * The same in double quotes, as JSON writes a text.
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
