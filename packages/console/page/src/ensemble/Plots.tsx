import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount } from "solid-js"
import uPlot from "uplot"
import type { History, Metric } from "../model/ensemble.ts"
import { isDark, theme } from "../shell/theme.ts"

const plots: ReadonlyArray<{ readonly metric: Metric; readonly title: string; readonly unit: string }> = [
  { metric: "roundTrip", title: "Round trip", unit: "ms" },
  { metric: "latency", title: "Latency, since the server's start", unit: "ms" },
  { metric: "outstanding", title: "Waiting requests", unit: "" },
  { metric: "received", title: "Packets received", unit: "a second" },
  { metric: "connections", title: "Connections", unit: "" },
  { metric: "lag", title: "Behind the newest member", unit: "transactions" },
  { metric: "watches", title: "Watches", unit: "" },
  { metric: "znodes", title: "Znodes", unit: "" }
]

/** The members over the last hour, a line for each. The crosshair is at the same time in all of them. */
export const Plots = (props: { readonly history: History; readonly revision: number }) => (
  <section class="plots" aria-label="The last hour">
    <For each={plots}>{(plot) => <Plot {...plot} history={props.history} revision={props.revision} />}</For>
  </section>
)

const Plot = (props: {
  readonly metric: Metric
  readonly title: string
  readonly unit: string
  readonly history: History
  readonly revision: number
}) => {
  let place!: HTMLDivElement
  const [width, setWidth] = createSignal(0)
  const [scheme, setScheme] = createSignal(isDark())
  const servers = createMemo(() => (props.revision, [...props.history.series.keys()].join("\n")))
  const data = (): uPlot.AlignedData => [
    props.history.times.map((time) => time / 1000),
    ...[...props.history.series.values()].map((values) => values[props.metric])
  ]

  onMount(() => {
    const observer = new ResizeObserver(() => setWidth(place.clientWidth))
    observer.observe(place)
    const preference = window.matchMedia("(prefers-color-scheme: dark)")
    const follow = () => setScheme(isDark())
    preference.addEventListener("change", follow)
    onCleanup(() => {
      observer.disconnect()
      preference.removeEventListener("change", follow)
    })
  })
  createEffect(() => {
    theme()
    setScheme(isDark())
  })

  let plot: uPlot | undefined
  createEffect(
    on([servers, scheme, () => width() > 0], ([servers, , isThere]) => {
      if (!isThere) return
      const made = new uPlot(optionsOf(place, servers === "" ? [] : servers.split("\n"), width()), data(), place)
      plot = made
      onCleanup(() => {
        made.destroy()
        plot = undefined
      })
    })
  )
  createEffect(on(width, (width) => width > 0 && plot?.setSize({ width, height }), { defer: true }))
  createEffect(
    on(
      () => props.revision,
      () => plot?.setData(data()),
      { defer: true }
    )
  )

  return (
    <figure class="panel plot">
      <figcaption>
        {props.title} <span class="muted">{props.unit}</span>
      </figcaption>
      <div
        ref={place}
        class="plot-place"
        role="img"
        aria-label={summary(props.history, props.metric, props.revision)}
      />
    </figure>
  )
}

const height = 130

const optionsOf = (place: HTMLElement, servers: ReadonlyArray<string>, width: number): uPlot.Options => {
  const line = colourOf(place, "--line")
  const ink = colourOf(place, "--ink-3")
  const axis = {
    stroke: ink,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif"
  }
  return {
    width,
    height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: "ensemble" }, y: false, points: { size: 6 } },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), Math.max(1, high * 1.1)] } },
    axes: [
      {
        ...axis,
        size: 26,
        space: 60,
        values: (_, times, __, ___, step) => times.map((time) => (step < 60 ? seconds : hours).format(time * 1000))
      },
      { ...axis, size: 48, space: 28, values: (_, values) => values.map((value) => compact.format(value)) }
    ],
    series: [
      {},
      ...servers.map((label, index) => ({
        label,
        stroke: colourOf(place, `--series-${index % 6}`),
        width: 1.5,
        points: { show: false }
      }))
    ]
  }
}

/** A canvas needs the colour itself, and not the variable, which depends on light and dark. */
const colourOf = (place: HTMLElement, variable: string): string => {
  const probe = document.createElement("span")
  probe.style.color = `var(${variable})`
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

const summary = (history: History, metric: Metric, _revision: number): string =>
  [...history.series]
    .map(([server, values]) => `${server}: ${values[metric].at(-1)?.toLocaleString("en") ?? "unknown"}`)
    .join(", ")

const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" })
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" })
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 })
