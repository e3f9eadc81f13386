"""The people of a believable shop: names, and what they say of what they bought.

Nothing here may hold a tab, a line break or a backslash: rows are written as COPY text.
"""

_FIRST_NAMES = (
    "Ada Aisha Alba Alejandro Alice Amara Amir Anders Andrea Anika Anton Arjun Astrid Aurora "
    "Ayla Bastian Beatriz Ben Bianca Boris Bruno Camille Carla Carlos Cecilia Chiara Chloe "
    "Clara Conor Dalia Daniel Daria David Diego Dmitri Edith Elena Elias Elif Emil Emma Enzo "
    "Erik Esther Eva Fatima Felix Femi Filip Finn Fiona Florence Francesca Freya Gabriel Gemma "
    "Georg Giulia Grace Gustav Hana Hannah Hassan Heidi Helena Henrik Hugo Ian Ida Ines Ingrid "
    "Irene Isaac Isla Ivan Jakob Jana Jasmin Javier Joana Johan Jonas Josefina Julia Kai Karin "
    "Katya Kenji Khadija Klara Lars Laura Lea Leon Lena Leyla Liam Lina Linnea Lorenzo Louis "
    "Lucia Luka Lydia Mads Maja Malik Marco Maria Marta Mateo Matilda Maya Mei Mia Milan Mina "
    "Miriam Mohammed Nadia Nina Noah Nora Olga Oliver Olivia Omar Oscar Otto Pablo Paula Pavel "
    "Petra Priya Rafael Rania Ravi Rosa Ruben Runa Sabine Samira Sara Sebastian Selma Simon "
    "Sofia Stefan Sven Tala Tara Theo Tilda Tomas Valentina Vera Victor Viola Wanda Yara Yasmin "
    "Yuki Yusuf Zara Zofia"
)

_LAST_NAMES = (
    "Abe Adeyemi Ahmed Almeida Andersen Andersson Baker Bakker Banerjee Barbosa Bauer Becker "
    "Berg Bergman Bianchi Blanc Bondarenko Borg Brandt Brooks Campos Carlsen Carter Castro Chen "
    "Clarke Conti Costa Da-Silva Dahl Das Davies De-Boer Demir Dias Dubois Dupont Eklund Engel "
    "Eriksen Esposito Evans Farouk Fernandez Ferrari Fischer Fontaine Forsberg Foster Garcia "
    "Gomez Gonzalez Greco Gruber Gupta Haas Hall Hansen Haugen Heikkinen Hernandez Hoffmann "
    "Holm Horvat Hughes Ibrahim Ito Ivanov Jansen Jensen Johansson Jones Kaya Keller Khan Kim "
    "Klein Koch Kovacs Kowalska Kumar Lambert Lang Larsen Laurent Lee Leroy Lindqvist Lopez "
    "Lund Marino Martin Mazur Mehta Mendes Meyer Moreau Moretti Morris Mueller Murphy Nakamura "
    "Navarro Nguyen Nielsen Nilsen Novak Nowak Nunez Okafor Olsen Ortega Osman Owusu Park Patel "
    "Pereira Petrov Popescu Popov Quinn Rahman Ramos Reyes Ricci Richter Rivera Roberts Romano "
    "Rossi Roy Ruiz Russo Said Sanchez Santos Sato Schmidt Schneider Schulz Sharma Silva Singh "
    "Sousa Stein Suzuki Svensson Takahashi Tanaka Taylor Thomsen Torres Toth Vargas Vasquez "
    "Virtanen Vogel Wagner Walker Wang Weber Weiss Wilson Winkler Wolf Wright Yamamoto Yilmaz "
    "Young Zhang Ziegler Zimmermann"
)

FIRST_NAMES, LAST_NAMES = _FIRST_NAMES.split(), _LAST_NAMES.split()

# Reserved for documentation (RFC 2606): no seeded address can ever receive a mail.
DOMAINS = ("example.com", "example.org", "example.net")

# How often each rating is given, 1 to 5.
RATING_WEIGHTS = (4, 6, 13, 31, 46)
COMMENTS = {
    1: (
        "Broke within a week. I am sending it back.",
        "Nothing like the picture, sadly.",
        "Arrived damaged, and the replacement took a month.",
    ),
    2: (
        "It works, but I expected more at this price.",
        "The finish is poor; the idea is good.",
        "Smaller than it looks. Check the measurements.",
    ),
    3: (
        "Does what it should, nothing more.",
        "Fine for the price. Delivery was slow.",
        "Good, though the colour differs from the photo.",
        "Would have liked better instructions.",
    ),
    4: (
        "Good quality and quick delivery.",
        "Very happy with it. One star off for the packaging.",
        "Solid. I have used it daily for a month now.",
        "Bought it as a present; it was well received.",
        "Nearly perfect.",
    ),
    5: (
        "Exactly what I was looking for.",
        "My second one already; the first is still going strong.",
        "Beautifully made. Worth every cent.",
        "Arrived early and exceeded my expectations.",
        "I would buy it again without thinking twice.",
        "Everyone who sees it asks where I got it.",
    ),
}
CANCEL_REASONS = ("changed my mind", "ordered by mistake", "found it elsewhere", "takes too long")
CARRIERS = ("DHL", "UPS", "GLS", "DPD", "PostNord")
