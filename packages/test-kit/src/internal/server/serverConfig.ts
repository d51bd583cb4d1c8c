/**
 * A server's `zoo.cfg`, JVM flags and login file, from the options of a test. Pure text, no process.
 */
import type { Options } from "./model.ts"
import type { Certificates } from "./certificates.ts"

/** The ports of one server; the last two serve ensembles only. */
export interface Ports {
  readonly client: number
  readonly secure: number
  readonly quorum: number
  readonly election: number
}

export interface Member {
  readonly id: number
  readonly ports: Ports
}

/** `zoo.cfg` of one server, with the lines about its place in an ensemble. */
export const zooCfg = (
  folder: string,
  ports: Ports,
  options: Options,
  membership: ReadonlyArray<string>,
  certificates: Certificates | undefined
): string => {
  const tickTime = options.tickTime ?? 500
  return lines([
    `tickTime=${tickTime}`,
    `dataDir=${folder}/data`,
    "initLimit=20",
    "syncLimit=10",
    "maxClientCnxns=0",
    "admin.enableServer=false",
    "4lw.commands.whitelist=*",
    "extendedTypesEnabled=true",
    "reconfigEnabled=true",
    `DigestAuthenticationProvider.superDigest=${superDigest}`,
    `maxSessionTimeout=${options.maxSessionTimeout ?? 60_000}`,
    options.enforceQuota === true ? "enforceQuota=true" : undefined,
    ...(options.localSessions === "upgrading"
      ? ["localSessionsEnabled=true", "localSessionsUpgradingEnabled=true"]
      : []),
    ...membership,
    ...(certificates === undefined
      ? []
      : [
          `secureClientPort=${ports.secure}`,
          "secureClientPortAddress=127.0.0.1",
          "serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory",
          `ssl.keyStore.location=${certificates.serverPemFile}`,
          "ssl.keyStore.type=PEM",
          `ssl.trustStore.location=${certificates.caFile}`,
          "ssl.trustStore.type=PEM",
          "ssl.clientAuth=need",
          "X509AuthenticationProvider.superUser=CN=zksuper"
        ]),
    ...(options.sasl === undefined || options.sasl === false
      ? []
      : [
          "authProvider.sasl=org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
          options.sasl === "required" ? "sessionRequireClientSASLAuth=true" : undefined
        ]),
    ...(options.config ?? [])
  ])
}

/** The lines of `zoo.cfg` by which a standalone server is found. */
export const standalone = (ports: Ports): ReadonlyArray<string> => [
  `clientPort=${ports.client}`,
  "clientPortAddress=127.0.0.1"
]

/** The lines of `zoo.cfg` of a member whose ensemble is in a file of its own, which reconfiguration rewrites. */
export const dynamicMember = (folder: string): ReadonlyArray<string> => [
  "standaloneEnabled=false",
  `dynamicConfigFile=${folder}/zoo.cfg.dynamic`
]

/** Members that know different addresses of each other, or other releases, must not compare them. */
export const UNCHANGED = "reconfigEnabled=false"

/** The lines of `zoo.cfg` of a member whose ensemble never changes: every release reads them. */
export const staticMember = (ports: Ports, members: ReadonlyArray<Member>): ReadonlyArray<string> => [
  ...standalone(ports),
  "standaloneEnabled=false",
  UNCHANGED,
  ...members.map(({ id, ports }) => `server.${id}=127.0.0.1:${ports.quorum}:${ports.election}`)
]

/** The members of an ensemble as `zoo.cfg.dynamic` lists them. */
export const dynamicConfig = (members: ReadonlyArray<Member>): string =>
  lines(
    members.map(
      ({ id, ports }) =>
        `server.${id}=127.0.0.1:${ports.quorum}:${ports.election}:participant;127.0.0.1:${ports.client}`
    )
  )

/** JVM flags, for a quick start and little memory, and for what `zoo.cfg` cannot say. */
export const jvmFlags = (folder: string, options: Options): ReadonlyArray<string> => [
  `-Xmx${options.heapMegabytes ?? 128}m`,
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Xshare:auto",
  "-Dzookeeper.forceSync=no",
  "-Dreadonlymode.enabled=true",
  "-Dznode.container.checkIntervalMs=500",
  // Containers go soon once they have had a child; those that never had one stay for a minute, as a test may be slow.
  "-Dznode.container.maxNeverUsedIntervalMs=60000",
  "-Dzookeeper.fips-mode=false",
  `-Dorg.slf4j.simpleLogger.defaultLogLevel=${options.logLevel ?? "warn"}`,
  `-Dlogback.configurationFile=${folder}/logback.xml`,
  ...(options.maxBuffer === undefined ? [] : [`-Djute.maxbuffer=${options.maxBuffer}`]),
  ...(options.sasl === undefined || options.sasl === false
    ? []
    : [`-Djava.security.auth.login.config=${folder}/jaas.conf`]),
  ...(options.jvmFlags ?? [])
]

/** The server's section of a JAAS file: DIGEST-MD5 users. */
export const jaasConf = lines([
  "Server {",
  "  org.apache.zookeeper.server.auth.DigestLoginModule required",
  '  user_super="adminsecret" user_bob="bobsecret" user_alice="alicesecret";',
  "};"
])

/** The configuration of an Apache release's log; Debian's package has slf4j-simple and ignores it. */
export const logbackXml = (level: string): string =>
  lines([
    '<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">',
    "<encoder><pattern>%d %-5level %logger{0} %msg%n</pattern></encoder></appender>",
    `<root level="${level}"><appender-ref ref="OUT"/></root></configuration>`
  ])

/** Of the digest `super:secret`. */
const superDigest = "super:lK75jTNcA+U9vtVEw5vB51mj/w4="

function lines(entries: ReadonlyArray<string | undefined>): string {
  return entries.flatMap((line) => (line === undefined ? [] : [`${line}\n`])).join("")
}
