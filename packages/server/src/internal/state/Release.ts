/**
 * The releases as which a server can answer, and what each does otherwise than the others.
 *
 * @since 0.1.0
 */

/**
 * The name of a release, without its patch number.
 *
 * @category models
 * @since 0.1.0
 */
export type Version = "3.8" | "3.9"

/**
 * The behaviour of a release.
 *
 * @category models
 * @since 0.1.0
 */
export interface Release {
  /** Its version in answers to four-letter words. */
  readonly banner: string
  /** Whether an event carries the zxid of its transaction, and not -1. */
  readonly eventsHaveZxid: boolean
  /** Whether watches of different modes on one path are kept and removed side by side, and not the last of them alone. */
  readonly watchModesCoexist: boolean
  /** Whether `exists`, and the events with which `setWatches` makes up for changes, need READ. */
  readonly existsNeedsRead: boolean
  /**
   * Whether the operations of a transaction are what their op codes say: a create2 is answered with a Stat, and a createContainer
   * makes a container whatever its flags are. A create of an unknown mode or without an ACL is then refused as a whole
   * transaction that cannot be read, and not at that operation.
   */
  readonly multiGoesByOpCode: boolean
  /** Whether a write that cannot be decoded takes a zxid, except for a transaction, which always does. */
  readonly unreadableTakesZxid: boolean
  /** Whether ACLs of the scheme `ip` can have IPv6 addresses. */
  readonly knowsIpv6: boolean
  /** The lowest number in a quota that is a limit. Lower ones are none. */
  readonly leastQuota: 0 | 1
}

/**
 * All releases. 3.8 is 3.8.0, with the protection of events by ACLs that Debian's package has from later releases; 3.9 is
 * 3.9.6.
 *
 * @category constants
 * @since 0.1.0
 */
export const releases: Readonly<Record<Version, Release>> = {
  "3.8": {
    banner: "3.8.0-effect-zookeeper, built on 2022-02-25 08:49 UTC",
    eventsHaveZxid: false,
    watchModesCoexist: false,
    existsNeedsRead: false,
    multiGoesByOpCode: false,
    unreadableTakesZxid: true,
    knowsIpv6: false,
    leastQuota: 0
  },
  "3.9": {
    banner: "3.9.6-effect-zookeeper, built on 2026-01-01 00:00 UTC",
    eventsHaveZxid: true,
    watchModesCoexist: true,
    existsNeedsRead: true,
    multiGoesByOpCode: true,
    unreadableTakesZxid: false,
    knowsIpv6: true,
    leastQuota: 1
  }
}
