/** The releases of ZooKeeper that Debian's suites have, with the packages and jars that a server needs. */

export interface Release {
  readonly version: string
  /** The name of Debian's suite. */
  readonly suite: string
  readonly packages: ReadonlyArray<string>
  /** The names of jars without their extension, beside the server's own. */
  readonly jars: ReadonlyArray<string>
  /** Where an Apache release of that time has the server's own jar. */
  readonly ownJarIn: "root" | "lib"
}

const netty = [
  "netty-buffer",
  "netty-codec",
  "netty-common",
  "netty-handler",
  "netty-resolver",
  "netty-transport",
  "netty-transport-native-epoll",
  "netty-transport-native-unix-common"
]

const modern = (version: string, suite: string): Release => ({
  version,
  suite,
  ownJarIn: "lib",
  packages: [
    "libzookeeper-java",
    "libslf4j-java",
    "libdropwizard-metrics-java",
    "libsnappy-java",
    "libcommons-cli-java",
    "libcommons-io-java",
    "libnetty-java",
    // Packages of their own in newer suites, parts of libnetty-java before.
    ...(suite === "sid" ? ["libnetty-buffer-java", "libnetty-common-java"] : [])
  ],
  jars: [
    "zookeeper-jute",
    "slf4j-api",
    "slf4j-simple",
    "metrics-core",
    "snappy-java",
    "commons-cli",
    "commons-io",
    ...netty
  ]
})

/** The one that all upgrades lead to. */
export const newest = modern("3.9.6", "sid")

/** From the oldest that is supported to the newest. */
export const releases: ReadonlyArray<Release> = [
  {
    version: "3.4.13",
    suite: "bullseye",
    packages: ["libzookeeper-java", "libslf4j-java", "liblog4j1.2-java"],
    jars: ["slf4j-api", "slf4j-simple", "log4j-1.2"],
    ownJarIn: "root"
  },
  modern("3.8.0", "bookworm"),
  modern("3.9.3", "trixie"),
  newest
]
