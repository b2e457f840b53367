"""The numbers of the structural model with their sources: name, value, unit, source, meaning."""

from typing import Final

DECLARED: Final = (
    ("age_mean", 75.6, "years", "cohort_profile[88].value", "mean age"),
    ("age_sd", 10.0, "years", "cohort_profile[91].value", "SD of age"),
    ("female", 0.709, "", "cohort_profile[94].value / 100", "share of women"),
    ("bmi_mean", 25.5, "kg/m2", "assumed", "mean body mass index"),
    ("bmi_sd", 4.0, "kg/m2", "assumed", "SD of body mass index"),
    ("t_score_mean", -2.9, "SD", "assumed", "mean T score of the spine"),
    ("t_score_sd", 0.9, "SD", "assumed", "SD of the T score"),
    ("steroid", 0.12, "", "assumed", "takes glucocorticoids"),
    ("smoker", 0.068, "", "cohort_profile[97].value / 100", "smokes"),
    ("charlson_mean", 0.46, "", "cohort_profile[103].value", "mean Charlson index"),
    (
        "prior_mean", 0.647, "", "-log(1 - cohort_profile[265].value / cohort_profile[265].n)",
        "mean number of earlier fractures (Poisson with the printed share of any)",
    ),
    ("drug", 0.4, "", "assumed", "takes a drug against osteoporosis"),
    ("malignant", 0.06, "", "assumed", "share of malignant fractures"),
    ("traumatic", 0.04, "", "assumed", "share of traumatic fractures"),
    (
        "fracture_age_median", 16.4, "days",
        "exp(log(14) - quantile(cohort_profile[254].value / 230) * log(3) / (quantile(1 - "
        "cohort_profile[256].value / 230) - quantile(cohort_profile[254].value / 230)))",
        "median age of the fracture at day 0 (log-normal through the printed shares below "
        "two and six weeks)",
    ),
    (
        "fracture_age_log_sd", 0.98, "",
        "log(3) / (quantile(1 - cohort_profile[256].value / 230) - "
        "quantile(cohort_profile[254].value / 230))",
        "SD of its logarithm, from the same shares",
    ),
    ("pain_mean", 7.5, "0-10", "arm_continuous[100].mean", "mean baseline pain"),
    ("pain_sd", 1.6, "0-10", "arm_continuous[100].sd", "SD of baseline pain"),
    (
        "second_level", 0.31, "", "cohort_profile[59].value / cohort_profile[59].n - 1",
        "a neighbouring level is fractured too",
    ),
    ("cleft", 0.2, "", "assumed", "intravertebral cleft"),
    ("height_loss_mean", 24.1, "%", "cohort_profile[115].value", "height loss of an index level"),
    ("height_loss_sd", 19.0, "%", "cohort_profile[118].value", "its SD"),
    ("vp_logit", -1.72, "", "assumed", "VP against NSM; shares meet cohort_profile.csv 30 to 32"),
    ("kp_logit", -0.60, "", "assumed", "KP against NSM; likewise"),
    ("choice_pain", 0.4, "per point", "assumed", "more pain, more often treated"),
    ("choice_age", -0.03, "per year", "assumed", "older, less often treated"),
    ("choice_charlson", -0.2, "per point", "assumed", "frailer, less often treated"),
    ("choice_fracture_age", -0.25, "per log", "assumed", "older fracture, less often treated"),
    ("choice_site", 0.4, "", "assumed", "step between sites in the use of VP and KP"),
    ("choice_year", -0.15, "per year", "assumed", "VP is given less and KP more from year to year"),
    ("choice_hidden", 0.7, "per SD", "assumed", "unrecorded severity (scenario unmeasured)"),
    ("delay_mean", 12.0, "days", "assumed", "mean delay from presentation to procedure"),
    ("delay_mean_immortal", 60.0, "days", "assumed", "the same, scenario immortal_time"),
    ("pain_carry", 0.45, "", "assumed", "share of a baseline deviation found at later visits"),
    ("pain_person_sd", 2.2, "0-10", "assumed", "lasting differences between persons"),
    ("pain_visit_sd", 1.7, "0-10", "assumed", "variation between visits; with the two above the SD is "
     "that of arm_continuous.csv 369"),
    ("pain_fracture_age", 0.2, "per log", "assumed", "older fractures heal less"),
    ("pain_hidden", 0.7, "per SD", "assumed", "effect of unrecorded severity on pain"),
    ("effect_fracture_age", -0.15, "per log", "assumed", "smaller effect on older fractures"),
    ("death_year", 0.160, "per year", "assumed", "cumulative hazard at one year; survival meets "
     "cohort_profile.csv 19"),
    ("death_shape", 0.86, "", "assumed", "Weibull shape of death; survival at four years meets "
     "cohort_profile.csv 3"),
    ("death_age", 0.05, "per year", "assumed", "log hazard ratio of death by age"),
    ("death_charlson", 0.2, "per point", "assumed", "log hazard ratio of death by Charlson index"),
    ("death_male", 0.3, "", "assumed", "log hazard ratio of death, men"),
    ("death_malignant", 1.2, "", "assumed", "log hazard ratio of death, malignant fracture"),
    ("death_hidden", 0.3, "per SD", "assumed", "log hazard ratio of unrecorded severity"),
    (
        "death_vp", -0.22, "", "log(log(cohort_profile[4].value / 100) / "
        "log(cohort_profile[3].value / 100))", "log hazard ratio of death, VP against NSM",
    ),
    (
        "death_kp", -0.40, "", "log(log(cohort_profile[5].value / 100) / "
        "log(cohort_profile[3].value / 100))", "log hazard ratio of death, KP against NSM",
    ),
    ("late_switch", 90.0, "days", "assumed", "hazards cross here (scenario nonproportional)"),
    ("late_early", -0.7, "", "assumed", "log hazard ratio before, scenario nonproportional"),
    ("late_after", 0.2, "", "assumed", "log hazard ratio after, scenario nonproportional"),
    ("fracture_year", 0.0072, "per year", "assumed", "hazard of one average vertebra"),
    ("fracture_shape", 0.8, "", "assumed", "Weibull shape of a new fracture"),
    ("fracture_adjacent", 3.2, "ratio", "assumed", "one vertebra away from index"),
    (
        "fracture_second", 1.6, "ratio",
        "3.2 * cohort_profile[215].value / cohort_profile[214].value",
        "two vertebrae away from index",
    ),
    ("fracture_disc_leak", 2.0, "ratio", "assumed", "adjacent level after leakage into the disc"),
    ("fracture_augmented", 1.1, "ratio", "assumed", "adjacent level after augmentation"),
    ("fracture_t_score", -0.25, "per SD", "assumed", "log hazard ratio per SD of T score"),
    ("fracture_prior", 0.2, "per fracture", "assumed", "log hazard ratio by earlier fractures"),
    ("cement_vp", 2.8, "ml", "cohort_profile[281].value", "mean cement per level, VP"),
    ("cement_kp", 4.0, "ml", "assumed", "mean cement per level, KP"),
    (
        "cement_log_sd", 0.41, "",
        "sqrt(log(1 + (cohort_profile[282].value / cohort_profile[281].value) ** 2))",
        "SD of log cement volume",
    ),
    (
        "leak_vp", 0.763, "", "cohort_profile[168].value / 100",
        "leakage per level visible on CT, VP without cleft",
    ),
    (
        "leak_kp", 0.58, "", "arm_binary[178].events / arm_binary[178].n",
        "leakage per level visible on CT, KP",
    ),
    ("leak_cement", 0.3, "per log", "assumed", "more cement, more leakage (log odds)"),
    (
        "leak_cleft", -0.43, "", "logit(cohort_profile[167].value / 100) - "
        "logit(cohort_profile[168].value / 100)", "leakage with a cleft (log odds)",
    ),
    ("ct_share", 0.1, "", "assumed", "patients examined by CT after the procedure"),
    (
        "seen_without_ct", 0.416, "", "arm_binary[153].events / arm_binary[153].n",
        "leaks on CT that the procedure report mentions",
    ),
    ("dropout_visit", 0.025, "", "assumed", "drops out between two visits; meets arm_binary.csv 39 and 40"),
    ("dropout_observed", 0.10, "per point", "assumed", "by the last recorded pain (log odds)"),
    ("dropout_unobserved", 0.45, "per point", "assumed", "by the pain never recorded (mnar)"),
    ("missed_visit", 0.05, "", "assumed", "misses a single visit"),
    # Pain under NSM and what the procedures change, at the days that were printed.
    ("pain_nsm_0", 7.5, "0-10", "arm_continuous[100].mean", "pain under NSM, day 0"),
    ("pain_nsm_30", 4.9, "0-10", "arm_continuous[369].mean", "pain under NSM, day 30"),
    ("pain_nsm_365", 3.8, "0-10", "arm_continuous[371].mean", "pain under NSM, day 365"),
    ("effect_vp_7", -3.1, "0-10", "contrasts[31].estimate", "VP minus NSM, day 7"),
    (
        "effect_vp_30", -2.4, "0-10", "arm_continuous[368].mean - arm_continuous[369].mean",
        "VP minus NSM, day 30",
    ),
    (
        "effect_vp_365", -1.6, "0-10", "arm_continuous[370].mean - arm_continuous[371].mean",
        "VP minus NSM, day 365",
    ),
    (
        "effect_kp_7", -2.7, "0-10",
        "contrasts[31].estimate + arm_continuous[71].mean - arm_continuous[72].mean",
        "KP minus NSM, day 7: VP minus NSM, and KP minus VP at day 3",
    ),
    (
        "effect_kp_30", -2.6, "0-10", "arm_continuous[368].mean - arm_continuous[369].mean + "
        "arm_continuous[73].mean - arm_continuous[74].mean",
        "KP minus NSM, day 30: VP minus NSM, and KP minus VP",
    ),
    ("effect_kp_365", -0.9, "0-10", "-contrasts[40].estimate", "KP minus NSM, day 365"),
    ("effect_kp_730", -0.8, "0-10", "contrasts[47].estimate", "KP minus NSM, day 730"),
    # Other scores as straight lines in pain.
    (
        "odi_slope", 7.68, "per point",
        "(arm_continuous[118].mean - arm_continuous[119].mean) / "
        "(arm_continuous[116].mean - arm_continuous[117].mean)", "ODI by pain, before and after VP",
    ),
    (
        "odi_start", -3.84, "0-100",
        "arm_continuous[118].mean - 7.68 * arm_continuous[116].mean", "ODI without pain",
    ),
    ("odi_sd", 8.0, "0-100", "assumed", "ODI at given pain"),
    (
        "rmdq_slope", 2.23, "per point",
        "(arm_continuous[77].mean - arm_continuous[85].mean) / "
        "(arm_continuous[69].mean - arm_continuous[75].mean)", "RMDQ by pain, before and after KP",
    ),
    (
        "rmdq_start", 0.8, "0-24", "arm_continuous[77].mean - 2.23 * arm_continuous[69].mean",
        "RMDQ without pain",
    ),
    (
        "rmdq_sd", 2.2, "0-24",
        "sqrt(arm_continuous[101].sd ** 2 - (2.23 * arm_continuous[100].sd) ** 2)",
        "RMDQ at given pain",
    ),
    (
        "eq5d_slope", -0.069, "per point",
        "contrasts[36].estimate / (arm_continuous[368].mean - arm_continuous[369].mean + "
        "arm_continuous[73].mean - arm_continuous[74].mean)",
        "EQ-5D by pain: both differences of KP minus NSM at day 30",
    ),
    (
        "eq5d_start", 1.04, "-0.59-1", "arm_continuous[6].mean + 0.069 * arm_continuous[2].mean",
        "EQ-5D without pain",
    ),
    (
        "eq5d_sd", 0.13, "-0.59-1",
        "sqrt(arm_continuous[6].sd ** 2 - (0.069 * arm_continuous[2].sd) ** 2)",
        "EQ-5D at given pain",
    ),
    # Where cement leaks, as shares of all leaks; foraminal is assumed and the others share the rest.
    *(
        (f"leak_{site}", value, "", source, f"share of leaks: {site}")
        for site, value, source in (
            ("disc", 0.373, "0.98 * arm_binary[149].events / 213"),
            ("epidural", 0.166, "0.98 * arm_binary[151].events / 213"),
            ("foraminal", 0.02, "assumed"),
            ("venous", 0.147, "0.98 * arm_binary[152].events / 213"),
            ("paravertebral", 0.294, "0.98 * arm_binary[150].events / 213"),
        )
    ),
    # 30-day probabilities of complications.
    *(
        (f"risk_{name}_{arm.lower()}", value, "", source, f"{name.replace('_', ' ')}, {arm}")
        for name, arm, value, source in (
            ("symptomatic_leakage", "VP", 0.012, "assumed"),
            ("symptomatic_leakage", "KP", 0.005, "assumed"),
            ("nerve_root_irritation", "VP", 0.010, "assumed"),
            ("nerve_root_irritation", "KP", 0.006, "assumed"),
            ("pulmonary_cement_embolism", "VP", 0.019, "arm_binary[171].events / arm_binary[171].n"),
            ("pulmonary_cement_embolism", "KP", 0.019, "arm_binary[171].events / arm_binary[171].n"),
            ("infection", "VP", 0.0031, "arm_binary[172].events / arm_binary[172].n"),
            ("infection", "KP", 0.0031, "assumed"),
            ("haematoma", "VP", 0.010, "assumed"),
            ("haematoma", "KP", 0.010, "arm_binary[165].events / cohort_profile[142].n"),
            ("rib_fracture", "NSM", 0.004, "assumed"),
            ("rib_fracture", "VP", 0.010, "assumed"),
            ("rib_fracture", "KP", 0.008, "assumed"),
            ("pneumonia", "NSM", 0.040, "assumed"),
            ("pneumonia", "VP", 0.015, "assumed"),
            ("pneumonia", "KP", 0.015, "assumed"),
            ("urinary_tract_infection", "NSM", 0.045, "assumed"),
            ("urinary_tract_infection", "VP", 0.044, "assumed"),
            ("urinary_tract_infection", "KP", 0.044, "arm_binary[166].events / cohort_profile[142].n"),
            ("thrombosis", "NSM", 0.012, "assumed"),
            ("thrombosis", "VP", 0.006, "assumed"),
            ("thrombosis", "KP", 0.006, "assumed"),
        )
    ),
)  # fmt: skip
