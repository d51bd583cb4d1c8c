/**
 * Releases of ZooKeeper: which one a server reports, and what tests of newer operations are called on an older one.
 */

/** Whether a release, such as `3.4.13`, is another one or newer. */
export const isAtLeast = (release: string, other: string): boolean => {
  const [own, wanted] = [numbersOf(release), numbersOf(other)]
  const at = wanted.findIndex((number, index) => number !== (own[index] ?? 0))
  return at === -1 || (own[at] ?? 0) > (wanted[at] ?? 0)
}

/** The release in an answer to `srvr`; undefined if there is none. */
export const reportedRelease = (srvr: string): string | undefined =>
  /^Zookeeper version: (\d+\.\d+\.\d+)/m.exec(srvr)?.[1]

/** The title of a test that a server older than `since` passes by a typed refusal. `test:servers` counts these. */
export const refusedTitle = (title: string, since: string): string => `${title} (refused before ${since})`

/** The title of a test that cannot run on a server older than `since`. `test:servers` lists these as gaps. */
export const needsTitle = (title: string, since: string): string => `${title} (needs ZooKeeper ${since})`

const numbersOf = (release: string): ReadonlyArray<number> => release.split(".").map(Number)
