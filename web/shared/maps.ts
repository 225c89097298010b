// The hand-off to a map app on the phone: each is given the coordinates it speaks (domain.md i.2).
import { fromWgs84, type Datum, type Point } from './places'

export interface MapApp {
  name: 'amap' | 'baidu' | 'tencent' | 'geo'
  datum: Datum
  /** The address that opens the app with this place as the destination. */
  link(at: Point, title: string): string
}

const degrees = (value: number) => value.toFixed(6)

function app(name: MapApp['name'], datum: Datum, make: (lat: string, lng: string, title: string) => string): MapApp {
  return {
    name,
    datum,
    link(at, title) {
      const there = fromWgs84(at, datum)
      return make(degrees(there.lat), degrees(there.lng), encodeURIComponent(title))
    },
  }
}

// Web addresses of the vendors: they open the app where it is installed, and a page where it is not.
export const MAP_APPS: MapApp[] = [
  app('amap', 'gcj02', (lat, lng, title) => `https://uri.amap.com/navigation?to=${lng},${lat},${title}&mode=car&coordinate=gaode&callnative=1`),
  app('baidu', 'bd09', (lat, lng, title) => `https://api.map.baidu.com/marker?location=${lat},${lng}&title=${title}&content=${title}&coord_type=bd09ll&output=html`),
  app('tencent', 'gcj02', (lat, lng, title) => `https://apis.map.qq.com/uri/v1/routeplan?type=drive&to=${title}&tocoord=${lat},${lng}&referer=duban`),
  app('geo', 'wgs84', (lat, lng, title) => `geo:${lat},${lng}?q=${lat},${lng}(${title})`),
]
