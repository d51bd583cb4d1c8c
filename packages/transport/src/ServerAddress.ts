/**
 * One server of a connect string.
 *
 * @since 0.1.0
 */

/**
 * A server: its host, its port, and the protocol where the connect string names it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerAddress {
  /** A host name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
  /** `tcp` or `tls` when the connect string says so for this server. Default: the transport decides. */
  readonly scheme?: "tcp" | "tls" | undefined
}

/**
 * The address as a connect string writes it: `host:port`, IPv6 in brackets.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (server: ServerAddress): string =>
  `${server.scheme === undefined ? "" : `${server.scheme}://`}${server.host.includes(":") ? `[${server.host}]` : server.host}:${server.port}`

/**
 * Whether two addresses name the same server: the same port, the same scheme, and the same host in letters of any case.
 *
 * @category comparing
 * @since 0.1.0
 */
export const equals = (self: ServerAddress, that: ServerAddress): boolean =>
  self.port === that.port &&
  self.scheme === that.scheme &&
  (self.host === that.host || self.host.toLowerCase() === that.host.toLowerCase())
