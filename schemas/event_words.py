"""What each event type means to those who send it, with the source of its rule: the descriptions in the contracts."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.event_data import DATA

#: Event type -> (what it is called, what it does and by which rule).
WORDS: Mapping[str, tuple[str, str]] = {
    "case.accepted": (
        "受理",
        (
            "办件从这里开始计时。受理当天不算，第 1 天是下一个工作日（民法典第二百零一条）；期限按工作日算，"
            "不含法定节假日（行政许可法第八十二条），调休上班的周末算。特殊问题要同时写 limit_days 和 "
            "applicant_informed_at，缺一样时先按复杂问题的时限计，并记一条异常。"
        ),
    ),
    "case.classified": (
        "分类（研判）",
        "定下或改正类别。新时限从受理算起；原时限已到期才改长的，超期照算，记一条异常。",
    ),
    "case.assigned": (
        "交办、转派",
        "换承办科室或承办人，至少写一个。超期算在到期那一刻的承办人名下。",
    ),
    "case.signed": ("签收", "承办人表示已知道这件事，之前发给他的提醒视为已看到。"),
    "case.extended": (
        "延期",
        (
            "写新的总时限（从起算日算起的工作日数）或延到哪一天。要在到期前批准、写明理由、写明何时告知当事人才生效"
            "（行政许可法第四十二条），否则照旧计时，记一条异常。"
        ),
    ),
    "case.escalated": ("上报", "承办单位解决不了，交给上一级；在下一个发送时段告诉 to 写的角色。"),
    "case.paused": (
        "挂起",
        (
            "听证、招标、拍卖、检验、检测、检疫、鉴定、专家评审的时间不计入期限，要书面告知当事人（行政许可法第四十五条）。"
            "下班时还在挂起的工作日不算；supplement、other 和没有告知当事人的记一条异常。"
        ),
    ),
    "case.resumed": ("恢复", "结束挂起，接着计时。"),
    "case.reset": (
        "补正后重新计时",
        "补正材料齐了，期限从这时重新算起（政府信息公开条例第三十条）。已经超期的不再重算，记一条异常。",
    ),
    "case.urged": ("催办", "在下一个发送时段告诉承办人，每件每天最多一条。"),
    "case.progressed": ("进展", "承办人写下进展，之前发给他的提醒视为已看到。"),
    "case.closed": (
        "办结",
        (
            "停止计时，作出判定：不晚于到期日下班为按时（民法典第二百零三条）。没有写 replied_at 的，每个工作日早上提醒"
            "承办人去答复，直到收到 case.replied。transferred（转办）要答复了当事人才停止计时（首问负责）。"
        ),
    ),
    "case.replied": ("答复当事人", "办结以外单独给当事人的答复；不写 replied_at 就是事件的 time。"),
    "case.reopened": ("重办", "办结后又打开，开始新一轮计时；以前各轮的判定不变。"),
    "case.followed_up": ("回访", "办结后回访当事人的结果。"),
    "case.merged": ("并案", "把同类的件联系在一起研究，不停止计时：每个当事人都要得到答复。"),
    "event.voided": (
        "撤销事件",
        "收回以前发错的一个事件，如同没有发过；subject 写那个事件的办件编号。收回之后用新的 id 发正确的。",
    ),
    "visit.answered": ("现场解答", "当场答复的来访，只计数，不成为办件，可以不写 subject。"),
}

#: Model name in the schemas -> its description.
ABOUT: Mapping[str, str] = {
    "Applicant": "当事人。加密存放，发出的消息、日志和页面里打码（个人信息保护法第六条、第五十一条）。",
    **{model.__name__: "{}：{}".format(*WORDS[type_]) for type_, model in DATA.items()},
}
