{#- The spelling under which place names and units are looked up: lower case, without any white space (also the ideographic,
    no-break and zero-width ones). -#}
{% macro lookup_key(expression) -%}
    nullif(regexp_replace(lower({{ expression }}), '[\s\x{00A0}\x{3000}\x{200B}\x{FEFF}]+', '', 'g'), '')
{%- endmacro %}

{#- The spelling under which place names are looked up: as `lookup_key`, also without marks of notes at the end (①, ², *, [1]) and in
    simplified characters. The list holds every traditional character whose simplified form occurs in a seed of aliases;
    `warehouse/ingest/place_names.py` reads it too. -#}
{% macro place_key(expression) -%}
    nullif(
        regexp_replace(
            translate(
                {{ lookup_key(expression) }},
                '{{ traditional_characters() }}',
                '{{ simplified_characters() }}'
            ),
            '([\p{No}⁽⁾ᵃ-ᶻ*＊†‡§※]|[\[(（〔【](注)?\d{1,2}[)）\]〕】])+$', ''
        ), ''
    )
{%- endmacro %}

{% macro traditional_characters() -%} 亞佈來倫傢內則剋區吳呂囌垻壩壯婁寧寶屬岡峯島峽崑崗嶺嶽巖廈廣張彥彿慶懞懷揚撫晉東棗樂樑樹檯欽涼渾溫滄漢澤濛濟濰濱瀋瀘烏無煙營爾瑪畢盤矇節紅納紹綏維綿縣義肅臨臺興荊莊華菸萊萬蕪薩蘆蘇蘭衕衛裏裡許譚谿貝貢貴賀資賓贛迴連週運達遠遷遼邊鄉鄖鄭鄲銀銅錦錫鎭鎮鐵長門開閤關陝陰陽隨隴雙雞雲頂順頗頭颱餘饒馬駐鬆魯鮮鴨鶴鷄鷹鹹鹽麗麯麴黃齊龍 {%- endmacro %}

{% macro simplified_characters() -%} 亚布来伦家内则克区吴吕苏坝坝壮娄宁宝属冈峰岛峡昆岗岭岳岩厦广张彦佛庆蒙怀扬抚晋东枣乐梁树台钦凉浑温沧汉泽蒙济潍滨沈泸乌无烟营尔玛毕盘蒙节红纳绍绥维绵县义肃临台兴荆庄华烟莱万芜萨芦苏兰同卫里里许谭溪贝贡贵贺资宾赣回连周运达远迁辽边乡郧郑郸银铜锦锡镇镇铁长门开合关陕阴阳随陇双鸡云顶顺颇头台余饶马驻松鲁鲜鸭鹤鸡鹰咸盐丽曲曲黄齐龙 {%- endmacro %}

{#- A delivered code as a 6-digit integer: 6 digits as they are, 4 digits times 100 (a trailing .0 of a number cell is tolerated), 9 or 12
    digits of a township's code where only zeros follow; of a township itself 1, which is no place's. -#}
{% macro six_digit_code(expression) -%}
    case
        when regexp_matches({{ expression }}, '^\s*\d{6}(000)?(000)?(\.0+)?\s*$') then cast(regexp_extract({{ expression }}, '\d{6}') as integer)
        when regexp_matches({{ expression }}, '^\s*\d{4}(\.0+)?\s*$') then cast(regexp_extract({{ expression }}, '\d{4}') as integer) * 100
        when regexp_matches({{ expression }}, '^\s*\d{9}(\d{3})?(\.0+)?\s*$') then 1
    end
{%- endmacro %}
