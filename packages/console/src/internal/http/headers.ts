/** The headers of all answers: what a page may load, and from where. */

/** The text in the page that each answer replaces by a number used once. Libraries of editors make style elements with it. */
export const noncePlaceholder = "__CSP_NONCE__"

/** Headers that do not depend on the request. No page of another origin may show, read or open this one. */
export const always: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), clipboard-read=()",
  // The next run may be another version, or a page may be there no more.
  "cache-control": "no-store"
}

/** Nothing from another host, no script in the page itself, and connections to the origin alone. */
export const contentSecurityPolicy = (host: string, nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    // Older browsers do not count a WebSocket as the same origin.
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")
