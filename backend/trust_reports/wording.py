"""What a check says, in Chinese and English, with its measured values. It informs: no word of guilt, no advice."""

from datetime import datetime

from backend import clock
from backend.trust_reports.rules import Check, Hint, Level, Result

LEVELS = {
    Level.fits: ("各项相符", "Everything fits"),
    Level.unclear: (
        "有的情况无法核对，请结合实际判断",
        "Some points cannot be compared; please judge by what you know",
    ),
    Level.contradicts: ("有的情况相互不一致，请核实", "Some points do not agree; please look into them"),
}

NAMES = {
    Check.target_distance: ("与目标的距离", "Distance to the target"),
    Check.arrival_distance: ("与到达记录的距离", "Distance to the arrival"),
    Check.accuracy: ("定位精度", "Accuracy"),
    Check.repeated_place: ("坐标重复", "Recurring coordinates"),
    Check.speed: ("移动速度", "Speed"),
    Check.clock: ("手机时钟", "Phone's clock"),
    Check.clock_jump: ("时钟调整", "Clock set"),
    Check.bracket: ("可确认的时间段", "Certain time"),
    Check.counter: ("拍摄序号", "Count of photos"),
    Check.exif_time: ("文件记录的时间", "Time in the file"),
    Check.exif_place: ("文件记录的位置", "Place in the file"),
    Check.source: ("拍摄方式", "Source"),
    Check.edited: ("编辑痕迹", "Traces of editing"),
    Check.seen_before: ("重复使用", "Seen before"),
    Check.search_cut: ("相似照片比对", "Search for like photos"),
    Check.after_finding: ("拍摄先后", "Taken after"),
    Check.before_as_after: ("整改前后对照", "Before and after"),
}

NO_POSITION = ("照片没有位置，无法比对距离", "The photo has no position; no distance can be measured")

SENTENCES: dict[str, tuple[str, str]] = {
    "target_distance.within": (
        "拍摄位置距目标 {distance_m}，在 {radius_m}范围内（定位精度 {accuracy_m}）",
        "Taken {distance_m} from the target, within {radius_m} (position accurate to {accuracy_m})",
    ),
    "target_distance.beyond": (
        "拍摄位置距目标 {distance_m}，超出 {radius_m}范围（定位精度 {accuracy_m}）",
        "Taken {distance_m} from the target, beyond {radius_m} (position accurate to {accuracy_m})",
    ),
    "target_distance.too_coarse": (
        "定位误差达 {accuracy_m}，不足以与目标比对（读数距目标 {distance_m}）",
        "The position is only accurate to {accuracy_m}, too coarse to compare (it reads {distance_m} from the target)",
    ),
    "target_distance.no_position": NO_POSITION,
    "arrival_distance.within": (
        "拍摄位置距时间最近的到达记录 {distance_m}，相符",
        "Taken {distance_m} from the arrival record nearest in time, which fits",
    ),
    "arrival_distance.beyond": (
        "拍摄位置距时间最近的到达记录 {distance_m}，超出 {radius_m}范围",
        "Taken {distance_m} from the arrival record nearest in time, beyond {radius_m}",
    ),
    "arrival_distance.too_coarse": (
        "定位误差达 {accuracy_m}，不足以与到达记录比对",
        "The position is only accurate to {accuracy_m}, too coarse to compare with the arrival record",
    ),
    "arrival_distance.no_position": NO_POSITION,
    "accuracy.fine": ("定位精度 {accuracy_m}", "Position accurate to {accuracy_m}"),
    "accuracy.coarse": ("定位精度 {accuracy_m}，较粗", "Position accurate to {accuracy_m} only"),
    "accuracy.too_fine": (
        "手机报告的定位精度为 {accuracy_m}，一般手机很少达到",
        "The phone reports an accuracy of {accuracy_m}, which phones rarely reach",
    ),
    "accuracy.constant": (
        "连续 {times} 张不同位置的照片，定位精度都是 {accuracy_m}，通常会有变化",
        "{times} photos in different places in a row all report {accuracy_m}; usually it varies",
    ),
    "repeated_place.not": ("坐标没有反复出现", "The coordinates do not recur"),
    "repeated_place.often": (
        "另有 {count} 次拍摄的坐标与此完全相同（小数点后七位），通常每次定位都有细微差别",
        "On {count} other occasions the coordinates were the same to seven decimals; usually each fix differs a little",
    ),
    "speed.fits": ("与前后照片的位置和时间相符", "Fits the places and times of the photos before and after"),
    "speed.by_train": (
        "与相邻照片相距 {apart_m}、相隔 {took_s}，合每小时 {speed_kmh} 公里，可能乘坐火车或飞机",
        "{apart_m} and {took_s} from the neighbouring photo, {speed_kmh} km/h: by train or aeroplane, perhaps",
    ),
    "speed.too_fast": (
        "与相邻照片相距 {apart_m}、相隔 {took_s}，合每小时 {speed_kmh} 公里，超出公路车速",
        "{apart_m} and {took_s} from the neighbouring photo, {speed_kmh} km/h: faster than any road",
    ),
    "clock.right": ("手机时间与服务器相差 {offset_s}", "The phone's clock differs from the server's by {offset_s}"),
    "clock.offset_fast": (
        "手机时间比服务器快 {offset_s}",
        "The phone's clock is {offset_s} ahead of the server's",
    ),
    "clock.offset_slow": (
        "手机时间比服务器慢 {offset_s}",
        "The phone's clock is {offset_s} behind the server's",
    ),
    "clock.ahead": (
        "照片标注的时间比送达服务器的时间还晚 {offset_s}",
        "The photo's time is {offset_s} later than the moment it was declared to the server",
    ),
    "clock.no_token": (
        "拍摄前手机没有取得服务器时间，无法核对手机时钟",
        "The phone had no server time before the photo; its clock cannot be compared",
    ),
    "clock.bad_token": (
        "手机所附的服务器时间凭证无效，无法核对手机时钟",
        "The server-time token sent along is not valid; the phone's clock cannot be compared",
    ),
    "clock_jump.none": (
        "从取得服务器时间到拍摄，手机时钟走时连续",
        "From the server's time to the shutter the phone's clock ran evenly",
    ),
    "clock_jump.set": (
        "从取得服务器时间到拍摄之间，手机时钟被调整了 {jump_s}",
        "Between the server's time and the shutter the phone's clock was set by {jump_s}",
    ),
    "bracket.narrow": (
        "拍摄记录可确认形成于 {since_at} 至 {until_at} 之间，相隔 {width_s}",
        "The capture record was certainly made between {since_at} and {until_at}, {width_s} apart",
    ),
    "bracket.wide": (
        "拍摄记录可确认形成于 {since_at} 至 {until_at} 之间，相隔 {width_s}，时间跨度较大",
        "The capture record was certainly made between {since_at} and {until_at}, {width_s} apart, which is wide",
    ),
    "bracket.outside": (
        "照片标注 {captured_at}，在可确认的时间段 {since_at} 至 {until_at} 之外 {outside_s}",
        "The photo says {captured_at}, {outside_s} outside the certain time from {since_at} to {until_at}",
    ),
    "bracket.open": (
        "只能确认拍摄记录形成于 {until_at} 之前，没有更早的服务器时间",
        "It is only certain that the capture record was made by {until_at}; there is no server time from before",
    ),
    "bracket.server_set_back": (
        "时间凭证晚于登记时间，服务器时钟可能调整过，无法确定时间段",
        "The token is later than the declaration; the server's clock may have been set, no bracket can be told",
    ),
    "counter.on": ("手机拍摄序号连续增加", "The phone's count of photos goes on"),
    "counter.back": (
        "手机拍摄序号没有增加，比此前一张小 {count}；可能换了手机或重新安装",
        "The phone's count of photos has not gone on: {count} less than of the one before; a new phone, perhaps",
    ),
    "exif.absent": (
        "照片里没有拍摄信息，网页拍照通常如此",
        "The file holds no such information, which is usual for photos from a web page",
    ),
    "exif_time.alone": (
        "照片文件记录的时间是 {exif_at}，没有可比对的拍摄时间",
        "The file says {exif_at}; there is no capture time to compare",
    ),
    "exif_time.same": (
        "照片文件记录的时间 {exif_at} 与拍摄时间相符",
        "The file says {exif_at}, which fits the capture time",
    ),
    "exif_time.zone": (
        "照片文件记录的时间 {exif_at} 与拍摄时间相差 {apart_s}，文件没有注明时区",
        "The file says {exif_at}, {apart_s} from the capture time, and names no time zone",
    ),
    "exif_time.other": (
        "照片文件记录的时间 {exif_at} 与拍摄时间相差 {apart_s}",
        "The file says {exif_at}, {apart_s} from the capture time",
    ),
    "exif_place.position": (
        "照片文件记录的位置与手机定位相距 {distance_m}",
        "The place in the file is {distance_m} from the phone's position",
    ),
    "exif_place.target": (
        "照片没有手机定位；文件记录的位置距目标 {distance_m}",
        "The photo has no position; the place in the file is {distance_m} from the target",
    ),
    "exif_place.alone": (
        "照片文件记录了位置，没有可比对的定位",
        "The file holds a place; there is no position to compare",
    ),
    "source.camera": ("用页面相机当场拍摄", "Taken with the camera of the page"),
    "source.gallery": (
        "从手机相册选取，拍摄时间和地点以相册为准，无法当场核对",
        "Chosen from the gallery; when and where it was taken cannot be told from the page",
    ),
    "source.unknown": ("没有说明是当场拍摄还是相册选取", "It is not said whether it was taken at once or chosen"),
    "edited.no_trace": ("没有编辑处理的痕迹", "No trace of editing"),
    "edited.editor": (
        "文件标注由图像软件处理过（{software}）",
        "The file names a program for changing pictures ({software})",
    ),
    "edited.resized": (
        "文件标注的尺寸与实际尺寸不同，可能经过缩放或裁剪",
        "The file notes another size than it has; it may have been scaled or cropped",
    ),
    "edited.saved_later": (
        "文件标注拍摄之后又保存过",
        "The file notes that it was saved again after it was taken",
    ),
    "seen_before.never": ("没有发现与其他照片相同或相似", "No photo that is the same or alike was found"),
    "seen_before.later": (
        "此前没有出现过；之后又有相同或相似的照片",
        "Not seen before; the same or a similar photo came later",
    ),
    "seen_before.exact": (
        "同一张照片此前已出现过 {count} 次",
        "The very same photo was seen {count} times before",
    ),
    "seen_before.near": (
        "此前有 {count} 张十分相似的照片",
        "{count} very similar photos were seen before",
    ),
    "seen_before.exact_together": (
        "同一张照片在本事项或本次检查中已用过 {count} 次",
        "The very same photo was used {count} times in this matter or visit",
    ),
    "seen_before.near_together": (
        "本事项或本次检查中有 {count} 张十分相似的照片",
        "This matter or visit has {count} very similar photos",
    ),
    "search.cut": (
        "近似比对不完整：与此相似的照片超过 {count} 张，只比对了最相似的；完全相同的照片不受影响",
        "Not all like photos were compared: more than {count} look like this one, the nearest were; "
        "the very same photo is found all the same",
    ),
    "after_finding.unknown": (
        "照片没有标注时间，无法判断是否在发现问题之后拍摄",
        "The photo has no time; whether it was taken after the finding cannot be told",
    ),
    "after_finding.after": (
        "照片标注 {taken_at}，在发现问题（{found_at}）之后",
        "The photo says {taken_at}, after the finding ({found_at})",
    ),
    "after_finding.older": (
        "照片标注 {taken_at}，早于发现问题的时间 {found_at}",
        "The photo says {taken_at}, earlier than the finding at {found_at}",
    ),
    "before_as_after.another": (
        "与整改前的照片不同",
        "Another photo than those of how it was",
    ),
    "before_as_after.exact": (
        "与整改前的照片是同一张",
        "The very same photo as one of how it was",
    ),
    "before_as_after.near": (
        "与整改前的照片十分相似，可能是同一角度重拍",
        "Very similar to a photo of how it was; perhaps taken again from the same spot",
    ),
}

ELSEWHERE = (
    "在您无权查看的事项中也出现过",
    "It was also seen in matters that you may not see",
)

HINTS = {
    Hint.no_position: (
        "照片没有位置：请在手机上允许定位后再拍",
        "The photo has no position: please allow your phone to tell it, then take it again",
    ),
    Hint.coarse: (
        "定位精度太低，建议到开阔处重拍",
        "The position is too coarse: please take it again in the open",
    ),
    Hint.clock: (
        "手机时间不准：请打开“自动设置时间”",
        "Your phone's clock is wrong: please let it set itself",
    ),
}


def sentence(result: Result, english: bool, photo: bool = True) -> str:
    """One check in one sentence; of a recording, a film or a paper it does not say that it is a photo."""
    words = SENTENCES[result.said][english]
    if not photo:
        words = words.replace("photo", "file") if english else words.replace("照片", "材料")
    told = {name: _figure(name, value, english) for name, value in result.figures.items()}
    return words.format_map(told)


def _figure(name: str, value: object, english: bool) -> str:
    match name.rpartition("_")[2], value:
        case "m", float() | int():
            return metres(float(value), english)
        case "s", float() | int():
            return span(float(value), english)
        case "at", datetime():
            local = clock.local(value)
            return local.strftime("%Y-%m-%d %H:%M" if english else "%Y年%-m月%-d日 %H:%M")
        case "kmh", float() | int():
            return f"{value:.0f}"
        case _:
            return str(value)


def metres(value: float, english: bool) -> str:
    """Whole metres, from two kilometres on kilometres."""
    if value >= 2000:
        return f"{value / 1000:.1f} km" if english else f"{value / 1000:.1f} 公里"
    return f"{value:.0f} m" if english else f"{value:.0f} 米"


def span(seconds: float, english: bool) -> str:
    """A length of time in its two largest units, without its sign."""
    rest = round(abs(seconds))
    parts: list[str] = []
    for size, words in SPANS:
        count, rest = divmod(rest, size)
        if count or parts or size == 1:
            parts.append(f"{count} {words[english]}")
        if len(parts) == 2:
            break
    kept = [part for place, part in enumerate(parts) if place == 0 or not part.startswith("0 ")]
    return " ".join(kept)


SPANS = ((86_400, ("天", "d")), (3_600, ("小时", "h")), (60, ("分", "min")), (1, ("秒", "s")))
