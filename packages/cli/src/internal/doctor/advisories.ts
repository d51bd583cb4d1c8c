/** Releases of ZooKeeper that have known vulnerabilities, or that get no more fixes. */

export interface Advisory {
  readonly cve: string
  /** The first and the last release that have it, of each line. */
  readonly affected: ReadonlyArray<readonly [first: string, last: string]>
  readonly fixedIn: string
  /** The harm that an attacker can do, and its condition. */
  readonly summary: string
}

/** Those of the server itself, and not of libraries that came with it. */
const advisories: ReadonlyArray<Advisory> = [
  {
    cve: "CVE-2017-5637",
    affected: [
      ["3.4.0", "3.4.9"],
      ["3.5.0", "3.5.2"]
    ],
    fixedIn: "3.4.10 and 3.5.3",
    summary: "the words wchp and wchc let anybody keep the server busy"
  },
  {
    cve: "CVE-2018-8012",
    affected: [
      ["3.4.0", "3.4.9"],
      ["3.5.0", "3.5.3"]
    ],
    fixedIn: "3.4.10 and 3.5.4",
    summary: "a server that is no member can join the ensemble and write"
  },
  {
    cve: "CVE-2019-0201",
    affected: [
      ["3.0.0", "3.4.13"],
      ["3.5.0", "3.5.4"]
    ],
    fixedIn: "3.4.14 and 3.5.5",
    summary: "everybody can read ACLs, with the hashes of passwords in them"
  },
  {
    cve: "CVE-2023-44981",
    affected: [
      ["3.0.0", "3.7.1"],
      ["3.8.0", "3.8.2"],
      ["3.9.0", "3.9.0"]
    ],
    fixedIn: "3.7.2, 3.8.3 and 3.9.1",
    summary: "with quorum.auth.enableSasl=true, a server that is no member can join the ensemble and write"
  },
  {
    cve: "CVE-2024-23944",
    affected: [
      ["3.6.0", "3.7.2"],
      ["3.8.0", "3.8.3"],
      ["3.9.0", "3.9.1"]
    ],
    fixedIn: "3.8.4 and 3.9.2",
    summary: "persistent watches tell paths below znodes that a client may not read"
  },
  {
    cve: "CVE-2024-51504",
    affected: [["3.9.0", "3.9.2"]],
    fixedIn: "3.9.3",
    summary: "the AdminServer believes the address in a header, so that permissions by address protect nothing there"
  },
  {
    cve: "CVE-2025-58457",
    affected: [["3.9.0", "3.9.3"]],
    fixedIn: "3.9.4",
    summary:
      "the commands snapshot and restore of the AdminServer do not check the permissions of their caller well enough"
  },
  {
    cve: "CVE-2026-24281",
    affected: [
      ["3.8.0", "3.8.5"],
      ["3.9.0", "3.9.4"]
    ],
    fixedIn: "3.8.6 and 3.9.5",
    summary: "with TLS, a certificate for the name that reverse DNS gives is believed"
  }
]

/** The vulnerabilities of a release. */
export const advisoriesFor = (release: string): ReadonlyArray<Advisory> =>
  advisories.filter(({ affected }) =>
    affected.some(([first, last]) => compare(first, release) <= 0 && compare(release, last) <= 0)
  )

/** Whether the project no longer fixes anything in this line: 3.7 ended in February 2024. */
export const isEndOfLife = (release: string): boolean => compare(release, "3.8.0") < 0

/** Negative where the first release is the older one. */
export const compare = (a: string, b: string): number => {
  const [left, right] = [a, b].map((release) => release.split(".").map(Number))
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
