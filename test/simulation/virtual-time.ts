import { running } from "./world.ts";

type Callback = (...values: never[]) => void;

/** What timers return; the product only ever clears them, or lets them not hold the process. */
class VirtualTimer {
  order: number;

  constructor(order: number) {
    this.order = order;
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.dispose](): void {
    globalThis.clearTimeout(this as unknown as number);
  }
}

const real = { setTimeout: globalThis.setTimeout, Date: globalThis.Date, random: Math.random };

/** The clock of the process whose code is running, in milliseconds; outside of any history the real one. */
export function virtualNow(): number {
  const place = running.getStore();
  return place === undefined ? real.Date.now() : place.world.nowMs + place.actor.clockErrorMs;
}

/**
 * Puts virtual clocks, timers and chance in the place of the real ones, for code that runs within a history. The
 * process is given up to simulations: nothing else can run in it.
 */
export function installVirtualTime(): void {
  globalThis.setTimeout = ((run: Callback, ms = 0, ...values: never[]) => {
    const place = running.getStore();
    if (place === undefined) return real.setTimeout(run, ms, ...values);
    const { world, actor } = place;
    return new VirtualTimer(world.schedule(ms, "", () => running.run(place, () => run(...values)), actor));
  }) as unknown as typeof setTimeout;
  globalThis.clearTimeout = clear as unknown as typeof clearTimeout;
  globalThis.setInterval = ((run: Callback, ms = 0, ...values: never[]) => {
    const place = running.getStore();
    if (place === undefined) throw new Error("an interval outside of a history");
    const { world, actor } = place;
    const timer = new VirtualTimer(0);
    const again = () => {
      timer.order = world.schedule(Math.max(1, ms), "", tick, actor);
    };
    const tick = () => {
      again();
      running.run(place, () => run(...values));
    };
    again();
    return timer;
  }) as unknown as typeof setInterval;
  globalThis.clearInterval = clear as unknown as typeof clearInterval;
  Math.random = () => running.getStore()?.world.random.next() ?? real.random();
  performance.now = virtualNow;
  const RealDate = real.Date;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, values: [] | [number]) =>
      values.length === 0 ? new target(virtualNow()) : new target(...values),
    get: (target, name) => (name === "now" ? virtualNow : Reflect.get(target, name)),
  }) as DateConstructor;
  AbortSignal.timeout = (ms: number) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException("The time is over.", "TimeoutError")), ms);
    return controller.signal;
  };
}

function clear(timer: VirtualTimer | undefined): void {
  if (timer instanceof VirtualTimer) running.getStore()?.world.cancel(timer.order);
}
