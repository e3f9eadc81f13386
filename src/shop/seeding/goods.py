"""What a believable shop sells: the category tree, and the words that name its products.

Nothing here may hold a tab, a line break or a backslash: rows are written as COPY text.
"""

from typing import NamedTuple


class Kind(NamedTuple):
    """One leaf of the category tree and how its products are called and priced.

    Attributes:
        path: names of the categories, from the root down.
        low, high: the range of prices, in whole units of money.
        nouns, qualities: a product's name takes one of each.
        use: ends the sentence "Made for …".
    """

    path: tuple[str, ...]
    low: int
    high: int
    nouns: tuple[str, ...]
    qualities: tuple[str, ...]
    use: str


MAKERS = (
    "Aldern", "Birkhall", "Caldera", "Dunmore", "Elverum", "Fjordline", "Gantry", "Halden",
    "Isola", "Juniper & Co", "Kestrel", "Larkfield", "Maren", "Nordvik", "Oakhurst", "Pellworm",
    "Quayside", "Rosendal", "Saltmarsh", "Tamsin", "Umbra", "Veldt", "Westerly", "Yarrow", "Zenit",
    "Ashdown", "Brightwater", "Corvid", "Driftwood", "Evergreen", "Foxglove", "Granary",
)  # fmt: skip

# path | prices | nouns | qualities | use
_TABLE = """
Apparel > Women > Knitwear|39-189|Sweater,Cardigan,Turtleneck,Poncho,Vest|Merino,Cashmere,Cable-Knit,Ribbed,Cropped,Oversized|cool mornings and long evenings
Apparel > Women > Dresses|45-220|Midi Dress,Wrap Dress,Shirt Dress,Maxi Dress,Slip Dress|Linen,Satin,Floral,Pleated,Organic Cotton,Jersey|days that begin at a desk and end at a table
Apparel > Women > Outerwear|89-420|Trench Coat,Parka,Puffer Jacket,Blazer,Rain Jacket|Waterproof,Quilted,Wool,Recycled,Belted|weather that cannot make up its mind
Apparel > Men > Shirts|29-120|Oxford Shirt,Flannel Shirt,Polo,Overshirt,Henley|Slim,Relaxed,Brushed,Poplin,Washed,Corduroy|the office and the way home
Apparel > Men > Trousers|45-160|Chinos,Jeans,Joggers,Cargo Trousers,Shorts|Tapered,Straight,Stretch,Selvedge,Pleated|walking further than planned
Apparel > Men > Outerwear|89-450|Bomber Jacket,Field Jacket,Overcoat,Fleece,Windbreaker|Waxed,Wool,Insulated,Packable,Lined|the months with an R in them
Apparel > Accessories|12-95|Beanie,Scarf,Belt,Gloves,Baseball Cap,Socks|Leather,Lambswool,Striped,Woven,Everyday|small changes to a familiar outfit
Shoes > Running|69-210|Road Shoe,Trail Shoe,Racing Flat,Stability Shoe|Lightweight,Cushioned,Carbon-Plate,Wide-Fit|kilometres that nobody counts
Shoes > Everyday|49-190|Sneaker,Loafer,Chelsea Boot,Derby,Slip-On|Suede,Canvas,Leather,Minimal,Platform|pavements of every kind
Shoes > Hiking|99-290|Hiking Boot,Approach Shoe,Sandal,Mid Boot|Waterproof,Full-Grain,Ventilated,Grippy|paths that turn into streams
Home > Kitchen > Cookware|19-260|Frying Pan,Saucepan,Stockpot,Wok,Roasting Tin,Casserole|Cast Iron,Stainless,Non-Stick,Copper,Carbon Steel,Enamelled|cooks who taste as they go
Home > Kitchen > Knives|15-190|Chef's Knife,Paring Knife,Bread Knife,Santoku,Knife Block|Forged,Damascus,Japanese,Walnut-Handled,Full-Tang|clean cuts and little effort
Home > Kitchen > Coffee & Tea|9-320|Pour-Over Set,French Press,Teapot,Burr Grinder,Milk Frother,Espresso Cups|Glass,Ceramic,Insulated,Manual,Compact|the ten quietest minutes of the day
Home > Bedroom > Bedding|24-240|Duvet Cover,Fitted Sheet,Pillowcase Pair,Quilt,Throw Blanket|Linen,Percale,Sateen,Washed Cotton,Waffle|sleeping through the alarm
Home > Living > Lighting|29-340|Floor Lamp,Table Lamp,Pendant,Wall Light,Reading Lamp|Brass,Opal Glass,Paper,Dimmable,Oak|corners that are always too dark
Home > Living > Furniture|79-1490|Armchair,Coffee Table,Bookshelf,Side Table,Sideboard,Sofa|Solid Oak,Walnut,Velvet,Modular,Rattan,Powder-Coated|rooms that people stay in
Home > Living > Rugs|49-690|Rug,Runner,Doormat,Sheepskin|Handwoven,Wool,Jute,Flatweave,Tufted|bare feet on cold floors
Home > Bathroom|8-120|Bath Towel,Bath Mat,Soap Dispenser,Shower Caddy,Robe|Turkish,Bamboo,Quick-Dry,Stone,Waffle|steam and splashes
Garden > Tools|9-180|Secateurs,Spade,Hand Trowel,Rake,Watering Can,Loppers|Ash-Handled,Carbon Steel,Telescopic,Bypass,Galvanised|roots that hold on
Garden > Plants & Pots|4-140|Planter,Plant Stand,Terrarium,Hanging Basket,Seed Kit|Terracotta,Glazed,Self-Watering,Fibreclay,Herb|windowsills, balconies and beds
Garden > Outdoor Living|35-980|Bistro Set,Hammock,Parasol,Fire Pit,Deck Chair|Folding,Teak,Weatherproof,Cast Iron,Striped|the first warm weekend and the last
Electronics > Audio > Headphones|25-380|Headphones,Earbuds,Gaming Headset,Studio Monitors|Wireless,Noise-Cancelling,Open-Back,Foldable,Sport|trains, planes and open-plan offices
Electronics > Audio > Speakers|39-590|Bluetooth Speaker,Soundbar,Bookshelf Speakers,Turntable|Portable,Waterproof,Compact,Walnut,Multi-Room|rooms of any size
Electronics > Computing|15-420|Mechanical Keyboard,Ergonomic Mouse,Laptop Stand,USB-C Hub,Webcam,Monitor Arm|Aluminium,Wireless,Low-Profile,Vertical,Adjustable|hands and eyes that work all day
Electronics > Photography|12-890|Tripod,Camera Bag,Prime Lens,Memory Card,Ring Light|Carbon Fibre,Travel,Padded,Fast,Bi-Colour|light that lasts a minute
Electronics > Smart Home|14-260|Smart Plug,Thermostat,Door Sensor,Smart Bulb,Video Doorbell|Matter,Zigbee,Energy-Metering,Battery-Powered,Colour|a home that minds itself
Sports > Cycling|9-360|Bike Helmet,Pannier,Floor Pump,Bike Light Set,Cycling Jersey,Multi-Tool|Aero,Waterproof,Rechargeable,Commuter,Gravel|every road that goes up
Sports > Yoga & Fitness|9-240|Yoga Mat,Kettlebell,Resistance Band Set,Foam Roller,Adjustable Dumbbell|Cork,Non-Slip,Cast Iron,Extra-Thick,Travel|fifteen minutes before breakfast
Sports > Camping|12-540|Tent,Sleeping Bag,Camping Stove,Headlamp,Sleeping Mat,Cool Box|Ultralight,Three-Season,Two-Person,Insulated,Compact|nights under a lot of stars
Sports > Swimming|9-85|Goggles,Swimsuit,Swim Cap,Kickboard,Dry Bag|Anti-Fog,Chlorine-Resistant,Silicone,Competition,Open-Water|lanes and lakes
Toys & Games > Board Games|12-79|Strategy Game,Party Game,Card Game,Cooperative Game,Puzzle|Family,Two-Player,Award-Winning,Travel,1000-Piece|rainy Sundays
Toys & Games > Building & Making|9-140|Building Blocks,Marble Run,Model Kit,Craft Box,Train Set|Wooden,Magnetic,Beginner,Deluxe,Solar|hands that cannot keep still
Beauty > Skin Care|7-95|Face Cream,Serum,Cleanser,Sunscreen SPF 50,Lip Balm,Face Mask|Hydrating,Vitamin C,Fragrance-Free,Oat,Niacinamide|skin that has seen some weather
Beauty > Hair Care|6-60|Shampoo,Conditioner,Hair Oil,Styling Cream,Hair Brush|Argan,Repairing,Solid,Volumising,Boar Bristle|good hair on bad days
Food > Coffee|7-39|Espresso Beans,Filter Coffee,Decaf Beans,Cold Brew Bags|Single-Origin,Dark Roast,Fairtrade,Ethiopian,House|people who grind their own
Food > Tea|4-32|Green Tea,Black Tea,Herbal Infusion,Matcha,Chai|Loose-Leaf,Organic,First Flush,Ceremonial,Spiced|a kettle that is always on
Food > Chocolate & Sweets|3-45|Chocolate Bar,Truffle Box,Caramels,Nougat,Fruit Jellies|Dark 70%,Salted,Hazelnut,Small-Batch,Sea Buckthorn|sharing, or not
Books & Paper > Notebooks|4-48|Notebook,Planner,Sketchbook,Journal,Index Cards|Dotted,Hardcover,Recycled,Linen-Bound,Pocket|thoughts that arrive unannounced
Books & Paper > Pens & Desk|3-160|Fountain Pen,Gel Pen Set,Mechanical Pencil,Desk Organiser,Ink Bottle|Brass,Fine-Nib,Refillable,Walnut,Matte|letters worth keeping
Pets > Dogs|5-180|Dog Bed,Leash,Chew Toy,Harness,Travel Bowl|Orthopaedic,Reflective,Rope,Padded,Collapsible|dogs with opinions
Pets > Cats|4-160|Cat Tree,Scratching Post,Litter Mat,Feather Wand,Cat Tunnel|Sisal,Tall,Washable,Wall-Mounted,Crinkle|cats who own the place
"""  # noqa: E501


def _kind(row: str) -> Kind:
    path, prices, nouns, qualities, use = row.split("|")
    low, high = prices.split("-")
    return Kind(
        tuple(path.split(" > ")),
        int(low),
        int(high),
        tuple(nouns.split(",")),
        tuple(qualities.split(",")),
        use,
    )


KINDS = tuple(map(_kind, _TABLE.strip().splitlines()))

# Sentences of a description; the last one names the use.
OPENINGS = (
    "The {name} is the one we reach for ourselves.",
    "{maker} has made this {noun} for years and changed little.",
    "A {quality} {noun} that does one thing well.",
    "Simple, sturdy and pleasant to use: the {name}.",
    "New from {maker}: a {quality} {noun} without frills.",
)
DETAILS = (
    "Each piece is checked by hand before it leaves the workshop.",
    "It arrives in plain cardboard, without plastic.",
    "Spare parts are available for at least ten years.",
    "Materials are listed on the label, down to the thread.",
    "It has been tested by our customers for a full season.",
    "Two-year guarantee; we repair before we replace.",
)
CLOSINGS = ("Made for {use}.", "It was made for {use}.", "We made it for {use}.")
