// Places: datums of Chinese maps, distance, how sure a device is. The same arithmetic as backend/geo.py.
import { language } from './words'

export type Datum = 'wgs84' | 'gcj02' | 'bd09'
export interface Point {
  lat: number
  lng: number
}

/** Above this the device's own radius is shown as coarse; above the next it is no arrival (domain.md i.3). */
export const COARSE_M = 100
export const WORST_ACCURACY_M = 1000

const AXIS = 6378245.0
const ECCENTRICITY = 0.006693421622965943
const BAIDU_PI = (Math.PI * 3000) / 180

/** The same place in the degrees that maps of this datum speak. Outside the box of China's maps nothing moves. */
export function fromWgs84(at: Point, datum: Datum): Point {
  if (datum === 'wgs84' || !inBox(at)) return at
  const gcj = moved(at, gcjShift(at))
  return datum === 'bd09' ? moved(gcj, baiduShift(gcj)) : gcj
}

/** Back to WGS-84, to a centimetre: three rounds of the fixed point. */
export function toWgs84(at: Point, datum: Datum): Point {
  if (datum === 'wgs84') return at
  const gcj = datum === 'bd09' ? undo(at, baiduShift) : at
  const wgs = undo(gcj, gcjShift)
  return inBox(wgs) ? wgs : at
}

/**
 * Metres between two WGS-84 points: Vincenty's inverse formula (1975) on the WGS-84 ellipsoid, as the server measures.
 * Opposite ends of the globe, where it does not settle, are given the sphere's answer.
 */
export function distanceM(a: Point, b: Point): number {
  const [major, flat] = [6378137.0, 1 / 298.257223563]
  const minor = major * (1 - flat)
  const rad = Math.PI / 180
  const [u1, u2] = [a, b].map((p) => Math.atan((1 - flat) * Math.tan(p.lat * rad))) as [number, number]
  const [sin1, cos1, sin2, cos2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)]
  const apart = (b.lng - a.lng) * rad
  let lambda = apart
  for (let round = 0; round < 50; round++) {
    const [sinL, cosL] = [Math.sin(lambda), Math.cos(lambda)]
    const sinS = Math.hypot(cos2 * sinL, cos1 * sin2 - sin1 * cos2 * cosL)
    if (sinS === 0) return 0
    const cosS = sin1 * sin2 + cos1 * cos2 * cosL
    const sigma = Math.atan2(sinS, cosS)
    const sinA = (cos1 * cos2 * sinL) / sinS
    const cosA2 = 1 - sinA * sinA
    const cosM = cosA2 === 0 ? 0 : cosS - (2 * sin1 * sin2) / cosA2
    const c = (flat / 16) * cosA2 * (4 + flat * (4 - 3 * cosA2))
    const before = lambda
    lambda = apart + (1 - c) * flat * sinA * (sigma + c * sinS * (cosM + c * cosS * (2 * cosM * cosM - 1)))
    if (Math.abs(lambda - before) > 1e-12) continue
    const u = (cosA2 * (major * major - minor * minor)) / (minor * minor)
    const big = 1 + (u / 16384) * (4096 + u * (-768 + u * (320 - 175 * u)))
    const small = (u / 1024) * (256 + u * (-128 + u * (74 - 47 * u)))
    const inner = cosS * (2 * cosM * cosM - 1) - (small / 6) * cosM * (4 * sinS * sinS - 3) * (4 * cosM * cosM - 3)
    return minor * big * (sigma - small * sinS * (cosM + (small / 4) * inner))
  }
  const h = Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(apart / 2) ** 2
  return 2 * 6371009 * Math.asin(Math.sqrt(h))
}

/** 128 米 · 1.4 公里 · 12 公里 */
export function metres(value: number): string {
  const [m, km] = language.value === 'en' ? ['m', 'km'] : ['米', '公里']
  if (value < 1000) return `${Math.round(value)} ${m}`
  return `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)} ${km}`
}

/** Whether that counts as being there: no farther than the radius, or than the device can tell (domain.md c.2). */
export function within(distance: number, radius: number, accuracy: number): boolean {
  return distance <= Math.max(radius, accuracy)
}

function inBox({ lat, lng }: Point): boolean {
  return lat >= 0.8293 && lat <= 55.8271 && lng >= 72.004 && lng <= 137.8347
}

function moved(at: Point, by: Point): Point {
  return { lat: at.lat + by.lat, lng: at.lng + by.lng }
}

function undo(at: Point, shift: (at: Point) => Point): Point {
  let before = at
  for (let round = 0; round < 3; round++) {
    const by = shift(before)
    before = { lat: at.lat - by.lat, lng: at.lng - by.lng }
  }
  return before
}

/** Degrees from WGS-84 to GCJ-02 (the publicly known polynomial on the Krasovsky ellipsoid). */
function gcjShift({ lat, lng }: Point): Point {
  const [x, y] = [lng - 105, lat - 35]
  const sin = (v: number) => Math.sin(v * Math.PI)
  const common = 20 * sin(6 * x) + 20 * sin(2 * x)
  const sines = (v: number, whole: number, third: number) => whole * sin(v) + third * sin(v / 3)
  const root = Math.sqrt(Math.abs(x))
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
  north += ((common + sines(y, 20, 40) + 160 * sin(y / 12) + 320 * sin(y / 30)) * 2) / 3
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
  east += ((common + sines(x, 20, 40) + 150 * sin(x / 12) + 300 * sin(x / 30)) * 2) / 3
  const rad = (lat / 180) * Math.PI
  const flat = 1 - ECCENTRICITY * Math.sin(rad) ** 2
  const meridian = (AXIS * (1 - ECCENTRICITY)) / (flat * Math.sqrt(flat))
  const parallel = (AXIS / Math.sqrt(flat)) * Math.cos(rad)
  return { lat: ((north / meridian) * 180) / Math.PI, lng: ((east / parallel) * 180) / Math.PI }
}

/** Degrees from GCJ-02 to BD-09. */
function baiduShift({ lat, lng }: Point): Point {
  const far = Math.hypot(lng, lat) + 0.00002 * Math.sin(lat * BAIDU_PI)
  const angle = Math.atan2(lat, lng) + 0.000003 * Math.cos(lng * BAIDU_PI)
  return { lat: far * Math.sin(angle) + 0.006 - lat, lng: far * Math.cos(angle) + 0.0065 - lng }
}
