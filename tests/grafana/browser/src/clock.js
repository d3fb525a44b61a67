// A clock that stands: what a dashboard says of "now" must not depend on when it is drawn.

const Real = Date;
let stands = null;

const now = () => (stands === null ? Real.now() : stands);

globalThis.Date = new Proxy(Real, {
  construct: (target, given, as) => Reflect.construct(target, given.length ? given : [now()], as),
  apply: () => new Real(now()).toString(),
  get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
});

export function standAt(milliseconds) {
  stands = milliseconds;
}
